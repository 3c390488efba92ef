/*
 * lists.c
 *	  Users' own lists of values (gensynth.lists), and the table of kinds as
 *	  rows.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "compat.h"
#include "mask/kind_type.h"

GS_FUNCTION(synth_list);
GS_FUNCTION(synth_kinds);

/* Lists are for all, so those who may write them are chosen. */
static void
check_may_list(void)
{
	Oid			schema = get_namespace_oid("gensynth", false);
	Oid			lists = get_relname_relid("lists", schema);

	if (pg_class_aclcheck(lists, GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for lists of values"),
				 errhint("Who may make them is a matter of GRANT INSERT ON gensynth.lists.")));
}

/* An error for a value that a generated one has no room for. */
static void
check_lengths(ArrayType *array)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i] &&
			VARSIZE_ANY_EXHDR(PG_DETOAST_DATUM_PACKED(values[i])) >=
			GS_FAKE_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
					 errmsg("a value of the list has more than %d bytes",
							GS_FAKE_BYTES - 1)));
}

/*
 * synth_list(kind text, locale text, values text[]) RETURNS bigint
 *
 * Puts a list in the place of the one that there was; NULL or no values take
 * it away.  A value that comes several times is drawn as many times as often.
 * Errors: insufficient_privilege, undefined_object,
 * string_data_right_truncation.
 */
Datum
synth_list(PG_FUNCTION_ARGS)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTARRAYOID};
	char		nulls[] = "   ";
	Datum		arguments[3];
	GsAccess	access;
	uint64		n = 0;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the kind must not be null")));
	check_may_list();
	gs_kind_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	arguments[0] = PG_GETARG_DATUM(0);
	arguments[1] = CStringGetTextDatum("");
	if (!PG_ARGISNULL(1))
	{
		gs_locale_lookup(text_to_cstring(PG_GETARG_TEXT_PP(1)));
		arguments[1] = PG_GETARG_DATUM(1);
	}
	if (PG_ARGISNULL(2))
		nulls[2] = 'n';
	else
		check_lengths(PG_GETARG_ARRAYTYPE_P(2));
	arguments[2] = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
	gs_enter(&access);
	gs_run("DELETE FROM gensynth.lists WHERE kind " GS_EQ " $1"
		   " AND locale " GS_EQ " $2", 2, types, arguments, NULL, false);
	if (!PG_ARGISNULL(2))
		n = gs_run("INSERT INTO gensynth.lists (kind, locale, value, weight)"
				   " SELECT $1, $2, v, pg_catalog.count(*)"
				   " FROM pg_catalog.unnest($3) v"
				   " WHERE v " GS_NE " '' GROUP BY v", 3, types, arguments,
				   nulls, false);
	gs_leave(&access);
	PG_RETURN_INT64(n);
}

/* The rows from first to last of a result, as one list. */
static void
read_list(GsFakeList *list, const GsKind *kind, int locale, uint64 first,
		  uint64 last, MemoryContext context)
{
	const char **values = MemoryContextAllocHuge(context, sizeof(char *) *
												 (last - first));
	double	   *upto = MemoryContextAllocHuge(context, sizeof(double) *
											  (last - first));
	double		sum = 0;

	list->kind = kind->id;
	list->locale = locale;
	list->n = last - first;
	for (uint64 i = first; i < last; i++)
	{
		char	   *value = gs_result_text(i, 3, context);
		MemoryContext old = MemoryContextSwitchTo(context);

		values[i - first] = pg_server_to_any(value, strlen(value), PG_UTF8);
		MemoryContextSwitchTo(old);
		sum += DatumGetFloat8(gs_result(i, 4, NULL));
		upto[i - first] = sum;
	}
	for (int i = 0; i < list->n; i++)
		upto[i] /= sum;
	list->values = values;
	list->upto = upto;
}

/*
 * gs_kind_lists: the lists that there are, read as the extension's owner, in
 * the current memory context.
 */
void
gs_kind_lists(GsFakeSetup *setup)
{
	MemoryContext context = CurrentMemoryContext;
	GsFakeList *lists = NULL;
	int			nlists = 0;
	GsAccess	access;
	uint64		n;

	gs_enter(&access);
	/* those of a locale before those of all */
	n = gs_run("SELECT kind, locale, value, weight FROM gensynth.lists"
			   " ORDER BY kind, locale DESC, value",
			   0, NULL, NULL, NULL, true);
	if (n > 0)
		lists = MemoryContextAllocZero(context, sizeof(GsFakeList) *
									   GS_KIND_COUNT * (GS_LOCALE_COUNT + 1));
	for (uint64 i = 0, next; i < n; i = next)
	{
		char	   *name = gs_result_text(i, 1, CurrentMemoryContext);
		char	   *locale = gs_result_text(i, 2, CurrentMemoryContext);
		const GsKind *kind = gs_kind_by_name(name);

		for (next = i + 1; next < n; next++)
			if (strcmp(gs_result_text(next, 1, CurrentMemoryContext),
					   name) != 0 ||
				strcmp(gs_result_text(next, 2, CurrentMemoryContext),
					   locale) != 0)
				break;
		/* one that a later version knows is of no use here */
		if (kind && (locale[0] == '\0' || gs_locale_by_name(locale) >= 0) &&
			nlists < GS_KIND_COUNT * (GS_LOCALE_COUNT + 1))
			read_list(&lists[nlists++], kind, gs_locale_by_name(locale), i,
					  next, context);
	}
	gs_leave(&access);
	setup->lists = lists;
	setup->nlists = nlists;
}

/*
 * synth_kinds() RETURNS SETOF (kind, description, example)
 */
Datum
synth_kinds(PG_FUNCTION_ARGS)
{
	static const uint64_t random[2] = {7, 11};
	GsFakeSetup setup = {.locale = -1};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	GsFakeWant	want = {0};
	GsFake		fake;

	InitMaterializedSRF(fcinfo, 0);
	gs_fake_begin(&fake, &setup, random);
	for (int i = 0; i < GS_KIND_COUNT; i++)
	{
		char		example[GS_FAKE_BYTES];
		bool		nulls[3] = {false};
		Datum		values[3];

		gs_fake_value(&fake, i, &want, example);
		values[0] = CStringGetTextDatum(gs_kinds[i].name);
		values[1] = CStringGetTextDatum(gs_kinds[i].description);
		values[2] = CStringGetTextDatum(example);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
