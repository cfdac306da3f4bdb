-- How a referral and a consent reached us, and the scan of a consent that was given on paper.

ALTER TABLE referrals
    ADD COLUMN source text NOT NULL DEFAULT 'clinic',
    ADD CONSTRAINT referrals_source_known CHECK (
        source IN ('clinic', 'email', 'fax', 'phone', 'post', 'in-person', 'self', 'relative')
    );

ALTER TABLE consents
    ADD COLUMN evidence text NOT NULL DEFAULT 'clinic-record',
    ADD CONSTRAINT consents_evidence_known CHECK (
        evidence IN ('clinic-record', 'paper', 'spoken', 'own-form', 'link')
    );

-- One for each referral: a newer one takes the place of a wrong one, which is then gone.
CREATE TABLE consent_scans (
    referral_id uuid PRIMARY KEY REFERENCES referrals (id),
    clinic_id uuid NOT NULL,
    media_type text NOT NULL,
    content bytea NOT NULL,
    added_at timestamptz NOT NULL,
    added_by_role text NOT NULL,
    CONSTRAINT consent_scans_media_type_known CHECK (
        media_type IN ('application/pdf', 'image/jpeg', 'image/png')
    ),
    CONSTRAINT consent_scans_not_too_large CHECK (octet_length(content) <= 5242880)
);
-- The three kinds are compressed already.
ALTER TABLE consent_scans ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE consent_scans ENABLE ROW LEVEL SECURITY;
ALTER TABLE consent_scans FORCE ROW LEVEL SECURITY;
CREATE POLICY consent_scans_of_acting_organisations ON consent_scans
    USING (clinic_id = ANY (acting_organisations()));
