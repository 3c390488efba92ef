/* gensynth--0.1--0.2.sql: what 0.2 has that 0.1 has not. */

\echo Use "ALTER EXTENSION gensynth UPDATE TO '0.2'" to load this file. \quit

ALTER TABLE gensynth.versions ADD COLUMN format int NOT NULL DEFAULT 1;
COMMENT ON COLUMN gensynth.versions.format IS 'of what is stored: whoever reads another one refuses it';
