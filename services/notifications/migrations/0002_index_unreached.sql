-- What did not reach anybody and waits for staff, and whether it was sent again since.

CREATE INDEX messages_unreached ON messages (planned_at, id)
    WHERE state IN ('needs-staff', 'undeliverable');
CREATE INDEX messages_by_resend ON messages (resend_of) WHERE resend_of IS NOT NULL;
