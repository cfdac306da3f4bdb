-- How long people waited until they had somebody, or left without: days and languages, nobody's id.
CREATE TABLE waits (
    ended_at timestamptz NOT NULL,
    days integer NOT NULL,
    languages text[] NOT NULL,
    is_served boolean NOT NULL
);
CREATE INDEX waits_by_end ON waits (ended_at);

-- What is told of it, worked out now and then: of everybody, and of each language ('' is everybody).
CREATE TABLE wait_estimates (
    language text PRIMARY KEY,
    worked_out_at timestamptz NOT NULL,
    measured integer NOT NULL,
    quarter integer,
    half integer,
    three_quarters integer
);
