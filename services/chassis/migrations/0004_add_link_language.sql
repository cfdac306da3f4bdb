-- The page behind a link is in the language of the mail that carried it.

ALTER TABLE links ADD COLUMN language text NOT NULL DEFAULT 'en';
