-- Hides the documents of hours, so that reports read stored rows; put_documents_back.sql puts them back. Rows: none.
update hourly_documents
set version = -version
where version > 0
