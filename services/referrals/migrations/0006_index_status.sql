-- A clinic's list by status, newest first, and how many there are of each, without a look at the
-- rows themselves. The organisations that a transaction acts for are read once, not for each row.

CREATE INDEX referrals_by_status ON referrals (clinic_id, status, received_at DESC, id DESC);
ALTER POLICY referrals_of_acting_organisations ON referrals
    USING (clinic_id = ANY ((SELECT acting_organisations())::uuid[]));
