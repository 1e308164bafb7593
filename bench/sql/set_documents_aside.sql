-- Sets the documents of hours aside, so that reports read rows; put_documents_back.sql puts them back. Rows: none.
update hourly_documents
set version = -version
where version > 0
