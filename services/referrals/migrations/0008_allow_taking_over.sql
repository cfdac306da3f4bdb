-- Pairs that met before Kindred are taken over once, by the reference that their list gives them.

ALTER TABLE referrals
    DROP CONSTRAINT referrals_source_known,
    ADD CONSTRAINT referrals_source_known CHECK (
        source IN ('clinic', 'email', 'fax', 'phone', 'post', 'in-person', 'self', 'relative',
                   'import'));
CREATE UNIQUE INDEX referrals_taken_over_once ON referrals (clinic_id, external_reference)
    WHERE source = 'import';
