/*
 * secret.c
 *	  Keys of pseudonyms and generated values, and the functions that make and
 *	  drop them.
 *
 * Each role has keys of its own, which members of the role may use.  They are
 * in no dump: a dump with its key holds no pseudonyms.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "catalog/access.h"
#include "compat.h"
#include "mask/secret.h"

#define KEY_BYTES	16

static GsPseudonymKey
key_of_bytes(Datum value)
{
	GsPseudonymKey key = {{0, 0}};
	bytea	   *bytes = DatumGetByteaPP(value);
	const unsigned char *byte = (unsigned char *) VARDATA_ANY(bytes);

	/* gensynth.keys may have been filled by hand */
	if (VARSIZE_ANY_EXHDR(bytes) != KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a key of gensynth.keys has no %d bytes", KEY_BYTES),
				 errhint("Drop it with synth_drop_key.")));
	for (int i = 0; i < KEY_BYTES; i++)
		key.word[i / 8] |= (uint64) byte[i] << 8 * (i % 8);
	return key;
}

static void
check_name(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a key must not be empty"),
				 errhint("Leave it out for the key \"default\".")));
}

/*
 * gs_secret_find: reads a key: the caller's own of the name, or else that of a
 * role that the caller is a member of.
 *
 * Returns false if there is none.  Errors: 42501 if it is only somebody else's,
 * but for the default one; 42725 if several roles of the caller's have one.
 */
bool
gs_secret_find(const char *name, GsPseudonymKey *key)
{
	GsAccess	access;
	Oid			user = GetUserId();
	uint64		n;
	bool		own = false;
	int			usable = 0;

	check_name(name);
	gs_enter(&access);
	n = gs_run_text("SELECT owner, value FROM gensynth.keys"
					" WHERE name " GS_EQ " $1", name, true);
	for (uint64 i = 0; i < n && !own; i++)
	{
		Oid			owner = DatumGetObjectId(gs_result(i, 1, NULL));

		own = owner == user;
		/* not all keys are a superuser's: it would not know whose it uses */
		if (!own && (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner)) ||
					 !is_member_of_role_nosuper(user, owner)))
			continue;
		usable++;
		*key = key_of_bytes(gs_result(i, 2, NULL));
	}
	gs_leave(&access);
	/* each role may make a default of its own */
	if (n > 0 && usable == 0 && strcmp(name, GS_DEFAULT_KEY) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for key \"%s\"", name),
				 errhint("It belongs to another role; synth_key makes one of your own.")));
	if (usable > 1 && !own)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("several of your roles have a key \"%s\"", name),
				 errhint("Make one of your own with synth_key, or SET ROLE to the key's owner.")));
	return usable > 0;
}

static void
store(const char *name, Datum value)
{
	Oid			types[] = {TEXTOID, OIDOID, BYTEAOID};
	Datum		values[3];
	GsAccess	access;

	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(GetUserId());
	values[2] = value;
	gs_enter(&access);
	gs_run("INSERT INTO gensynth.keys (name, owner, value)"
		   " VALUES ($1, $2, $3)", 3, types, values, NULL, false);
	gs_leave(&access);
}

/*
 * gs_secret_make: makes a random key of the caller's own, and keeps it.
 *
 * Errors: 23505 if there is one.
 */
void
gs_secret_make(const char *name, GsPseudonymKey *key)
{
	bytea	   *value = palloc(VARHDRSZ + KEY_BYTES);

	SET_VARSIZE(value, VARHDRSZ + KEY_BYTES);
	if (!pg_strong_random(VARDATA(value), KEY_BYTES))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	store(name, PointerGetDatum(value));
	*key = key_of_bytes(PointerGetDatum(value));
}

/* The caller's own key of a name, or false. */
static bool
find_own(const char *name, GsPseudonymKey *key)
{
	GsAccess	access;
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[2];
	bool		found;

	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(GetUserId());
	gs_enter(&access);
	found = gs_run("SELECT value FROM gensynth.keys WHERE name " GS_EQ " $1"
				   " AND owner " GS_EQ " $2", 2, types, values, NULL,
				   true) > 0;
	if (found)
		*key = key_of_bytes(gs_result(0, 1, NULL));
	gs_leave(&access);
	return found;
}

/*
 * synth_key(name text = 'default', value bytea = NULL): makes a key of the
 * caller's own, or keeps the one that is passed.
 */
GS_FUNCTION(synth_key);

Datum
synth_key(PG_FUNCTION_ARGS)
{
	char	   *name;
	GsPseudonymKey key;
	GsPseudonymKey there;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name must not be null"),
				 errhint("Leave it out for the key \"default\".")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	check_name(name);
	if (!PG_ARGISNULL(1))
	{
		Size		len = VARSIZE_ANY_EXHDR(PG_GETARG_BYTEA_PP(1));

		if (len != KEY_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a key has %d bytes, not %zu", KEY_BYTES, len),
					 errhint("Leave the value out, and a key is made at random; \"value\" of synth_keys can be passed in another database.")));
		key = key_of_bytes(PG_GETARG_DATUM(1));
	}
	if (find_own(name, &there))
	{
		if (!PG_ARGISNULL(1) && memcmp(&key, &there, sizeof(key)) == 0)
			PG_RETURN_VOID();
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("key \"%s\" already exists", name),
				 errhint("Choose another name, or drop the key with synth_drop_key: what it made cannot be made again then.")));
	}
	if (PG_ARGISNULL(1))
		gs_secret_make(name, &key);
	else
		store(name, PG_GETARG_DATUM(1));
	PG_RETURN_VOID();
}

/*
 * synth_drop_key(name text): drops a key of the caller's own.
 */
GS_FUNCTION(synth_drop_key);

Datum
synth_drop_key(PG_FUNCTION_ARGS)
{
	char	   *name;
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[2];
	GsAccess	access;
	uint64		n;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name must not be null"),
				 errhint("SELECT * FROM synth_keys lists your keys.")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	values[0] = PG_GETARG_DATUM(0);
	values[1] = ObjectIdGetDatum(GetUserId());
	gs_enter(&access);
	n = gs_run("DELETE FROM gensynth.keys WHERE name " GS_EQ " $1"
			   " AND owner " GS_EQ " $2", 2, types, values, NULL, false);
	gs_leave(&access);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("you have no key \"%s\"", name),
				 errhint("SELECT * FROM synth_keys lists your keys.")));
	PG_RETURN_VOID();
}
