-- Forgets the keys. A site that needed one takes requests without it then, unless the environment has a key.
-- loses: keys
drop table keys;
