-- A body as the text it is, which the driver reads in a tenth of the time that it takes for the hexadecimal
-- form of bytea. What is no text, or begins as that form does, comes in that form, `\x…`.

create function body_text(raw bytea) returns text language plpgsql immutable strict as $$
declare
  body text;
begin
  body := convert_from(raw, 'UTF8');
  return case when starts_with(body, '\x') then '\x' || encode(raw, 'hex') else body end;
exception
  -- no UTF-8, or with a NUL in it
  when character_not_in_repertoire then return '\x' || encode(raw, 'hex');
end $$;

insert into schema_migrations (name) values ('0020_body_text.sql');
