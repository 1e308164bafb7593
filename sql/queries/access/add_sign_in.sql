-- Begins a sign-in, and forgets those that have ended. Of one key, or of the read token, the newest $5 stay.
-- $1 prefix, $2 SHA-256, $3 prefix of the key (null: the read token), $4 how long it lasts, $5 the most of one key
-- Rows: one (prefix).
with ended as (
    delete from sign_ins as s
    where s.expires_at <= clock_timestamp()
        or s.prefix in (
            select older.prefix
            from sign_ins as older
            where older.key is not distinct from $3
            order by older.created_at desc, older.prefix
            offset $5 - 1
        )
)

insert into sign_ins (prefix, digest, key, expires_at)
values ($1, $2, $3, clock_timestamp() + $4)
returning prefix
