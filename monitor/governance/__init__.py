"""Standing, consequences, approvals, waivers and audit records: pure."""
