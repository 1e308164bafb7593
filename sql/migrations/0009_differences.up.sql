-- What a failed verification found, so that an hour can show it.

alter table hour_proofs add column differences json;
comment on column hour_proofs.differences is 'What the verification found wrong: an object of the first differences (named) and the number of all (found). Null when all was right.';
