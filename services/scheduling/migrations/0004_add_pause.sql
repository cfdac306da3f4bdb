-- Whose person takes a pause and is asked nothing meanwhile.
ALTER TABLE matches ADD COLUMN paused boolean NOT NULL DEFAULT false;
