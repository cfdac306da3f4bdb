-- How many more peers would suit if one thing alone were allowed besides, by what that is.

ALTER TABLE matches ADD COLUMN openings jsonb NOT NULL DEFAULT '{}';
