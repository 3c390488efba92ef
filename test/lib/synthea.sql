-- Patients of ../shared/data/synthea, with keys and conditions.
CREATE SCHEMA synthea;
SET search_path = synthea;
CREATE TABLE patients (id uuid PRIMARY KEY, birthdate date NOT NULL, deathdate date, ssn text NOT NULL UNIQUE, drivers text, passport text, prefix text,
    first text, last text, suffix text, maiden text, marital text, race text, ethnicity text, gender text CHECK (gender IN ('F', 'M')), birthplace text,
    address text, city text, state text, county text, fips int, zip text, lat float8, lon float8, healthcare_expenses numeric,
    healthcare_coverage numeric, income int, CHECK (birthdate <= deathdate));
CREATE TABLE organizations (id uuid PRIMARY KEY, name text NOT NULL, address text, city text, state text, zip text, lat float8, lon float8,
    phone text, revenue numeric, utilization int);
CREATE TABLE providers (id uuid PRIMARY KEY, organization uuid NOT NULL REFERENCES organizations, name text, gender text, speciality text, address text,
    city text, state text, zip text, lat float8, lon float8, encounters int, procedures int);
CREATE TABLE payers (id uuid PRIMARY KEY, name text NOT NULL, ownership text, address text, city text, state_headquartered text, zip text, phone text,
    amount_covered numeric, amount_uncovered numeric, revenue numeric, covered_encounters int, uncovered_encounters int, covered_medications int,
    uncovered_medications int, covered_procedures int, uncovered_procedures int, covered_immunizations int, uncovered_immunizations int,
    unique_customers int, qols_avg float8, member_months int);
CREATE TABLE encounters (id uuid PRIMARY KEY, start timestamptz NOT NULL, stop timestamptz, patient uuid NOT NULL REFERENCES patients,
    organization uuid REFERENCES organizations, provider uuid REFERENCES providers, payer uuid REFERENCES payers, encounterclass text NOT NULL,
    code bigint NOT NULL, description text NOT NULL, base_encounter_cost numeric(10,2) CHECK (base_encounter_cost >= 0), total_claim_cost numeric(10,2),
    payer_coverage numeric(10,2), reasoncode bigint, reasondescription text, CHECK (stop >= start));
CREATE TABLE conditions (start date NOT NULL, stop date, patient uuid NOT NULL REFERENCES patients, encounter uuid NOT NULL REFERENCES encounters,
    code bigint, description text, CHECK (stop >= start));
