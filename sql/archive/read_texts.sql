-- Makes a view of the rows' properties alone, for the choice of columns.
-- Rows: none.
create view texts as
select position, properties, has_long_number(properties) as long_numbers from copied
