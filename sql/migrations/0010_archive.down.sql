-- Forgets the archive. Its files stay, but nothing reads them.
drop table archive_writing;
drop table archive_hours;
drop table archive_files;
