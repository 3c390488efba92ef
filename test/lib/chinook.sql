-- The music store of ../shared/data/chinook, with its keys.
CREATE SCHEMA chinook;
SET search_path = chinook;
CREATE TABLE artist (artist_id int PRIMARY KEY, name text);
CREATE TABLE album (album_id int PRIMARY KEY, title text NOT NULL, artist_id int NOT NULL REFERENCES artist);
CREATE TABLE media_type (media_type_id int PRIMARY KEY, name text);
CREATE TABLE genre (genre_id int PRIMARY KEY, name text);
CREATE TABLE track (track_id int PRIMARY KEY, name text NOT NULL, album_id int REFERENCES album, media_type_id int NOT NULL REFERENCES media_type,
    genre_id int REFERENCES genre, composer text, milliseconds int NOT NULL CHECK (milliseconds > 0), bytes int, unit_price numeric(10,2) NOT NULL);
CREATE TABLE employee (employee_id int PRIMARY KEY, last_name text NOT NULL, first_name text NOT NULL, title text,
    reports_to int REFERENCES employee, birth_date date, hire_date date CHECK (hire_date > birth_date), address text, city text, state text,
    country text, postal_code text, phone text, fax text, email text UNIQUE);
CREATE TABLE customer (customer_id int PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, company text, address text, city text,
    state text, country text, postal_code text, phone text, fax text, email text NOT NULL UNIQUE, support_rep_id int REFERENCES employee);
CREATE TABLE invoice (invoice_id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, invoice_date date NOT NULL, billing_address text,
    billing_city text, billing_state text, billing_country text, billing_postal_code text, total numeric(10,2) NOT NULL CHECK (total >= 0));
CREATE TABLE invoice_line (invoice_line_id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoice, track_id int NOT NULL REFERENCES track,
    unit_price numeric(10,2) NOT NULL, quantity int NOT NULL CHECK (quantity > 0));
CREATE TABLE playlist (playlist_id int PRIMARY KEY, name text);
CREATE TABLE playlist_track (playlist_id int REFERENCES playlist, track_id int REFERENCES track, PRIMARY KEY (playlist_id, track_id));
