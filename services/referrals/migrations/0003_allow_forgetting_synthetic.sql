-- The timeline of the synthetic clinic's referrals may be forgotten; people's is only added to.
DROP TRIGGER steps_only_added ON steps;
CREATE TRIGGER steps_only_added BEFORE UPDATE OR DELETE ON steps
    FOR EACH ROW WHEN (OLD.clinic_id <> '5e1f7e57-0000-4000-8000-000000000001')
    EXECUTE FUNCTION refuse_change();
