-- Policies that were put to use, each as the pack that somebody signed. The highest version counts;
-- without any the one that comes with the code does.

CREATE TABLE policies (
    version integer PRIMARY KEY,
    pack text NOT NULL,
    signed_by text NOT NULL,
    activated_at timestamptz NOT NULL
);
