-- Whoever pauses is asked nothing and keeps what is theirs.

ALTER TABLE needs ADD COLUMN paused boolean NOT NULL DEFAULT false;
