-- A statement as a role: 'no error', or its SQLSTATE.
CREATE FUNCTION as_role(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', role, true);
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		PERFORM set_config('role', 'none', true);
		RETURN SQLSTATE;
	END;
	PERFORM set_config('role', 'none', true);
	RETURN 'no error';
END $$;
