/*
 * like.c
 *	  Tables made like others.  To be called within an SPI connection, with
 *	  gs_fix_names: names in definitions come out qualified then.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/regproc.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "compat.h"
#include "schema/like.h"
#include "table/source.h"

/* $1 the source: its sequences of serial columns, by column. */
static const char serials_query[] =
"SELECT a.attname::pg_catalog.text, pg_catalog.format_type(a.atttypid, NULL)"
" FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d"
" ON d.adrelid " GS_EQ " a.attrelid AND d.adnum " GS_EQ " a.attnum"
" WHERE a.attrelid " GS_EQ " $1 AND NOT a.attisdropped"
" AND a.attgenerated " GS_EQ " '' AND pg_catalog.starts_with("
"pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'nextval(')";

/* $1 the source: its foreign keys, and the tables they refer to. */
static const char keys_query[] =
"SELECT c.conname, pg_catalog.pg_get_constraintdef(c.oid), c.confrelid"
" FROM pg_catalog.pg_constraint c WHERE c.conrelid " GS_EQ " $1"
" AND c.contype " GS_EQ " 'f' AND NOT EXISTS (SELECT"
" FROM pg_catalog.pg_constraint u WHERE u.oid " GS_EQ " c.conparentid"
" AND u.conrelid " GS_EQ " c.conrelid) ORDER BY c.conname";

static void
run(const char *sql)
{
	int			result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
}

static uint64
run_with_oid(const char *query, Oid relid)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);

	return gs_run(query, 1, &type, &value, NULL, true);
}

/*
 * Serial columns count by a sequence of the table's own.
 */
static void
create_sequences(const char *target, Oid source)
{
	uint64		n = run_with_oid(serials_query, source);
	SPITupleTable *found = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		const char *column = SPI_getvalue(found->vals[i], found->tupdesc, 1);
		const char *type = SPI_getvalue(found->vals[i], found->tupdesc, 2);
		List	   *names = gs_name_list(target);
		char	   *sequence = quote_qualified_identifier(strVal(linitial(names)),
														  makeObjectName(strVal(llast(names)), column,
																		 "seq"));

		run(psprintf("CREATE SEQUENCE %s AS %s", sequence, type));
		run(psprintf("ALTER TABLE %s ALTER %s SET DEFAULT pg_catalog.nextval(%s)",
					 target, quote_identifier(column),
					 quote_literal_cstr(sequence)));
		run(psprintf("ALTER SEQUENCE %s OWNED BY %s.%s", sequence, target,
					 quote_identifier(column)));
	}
}

/*
 * An error if others' code would run as the caller, who will own the copy.
 */
static void
check_code(const char *source, Oid relid, bool defaults)
{
	GsStrange	found;

	if (gs_strange_code(relid, defaults ? GS_STRANGE_FILL : GS_STRANGE_COPY,
						&found))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s of role \"%s\" would run as you in the copy of table %s",
						found.function, found.role, source),
				 errhint("SET ROLE to the table's owner, or make the table yourself without what calls the function: a constraint, a default, an index, a generated column, or a type.")));
}

/*
 * gs_like_table: makes a table with all that another one has but foreign keys.
 *
 * target, source: qualified and quoted names; relid: the source's.  defaults:
 * columns may be left to them.  Errors: 42501 if functions of others would run
 * as the caller.
 */
void
gs_like_table(const char *target, const char *source, Oid relid, bool defaults)
{
	check_code(source, relid, defaults);
	run(psprintf("CREATE TABLE %s (LIKE %s INCLUDING ALL)", target, source));
	create_sequences(target, relid);
}

/*
 * gs_like_keys: gives a table the foreign keys of the one that it was made
 * like, to what stands for the tables that these refer to.
 *
 * outside: also those to tables that nothing stands for, as they are.
 */
void
gs_like_keys(const char *target, Oid relid, GsStandsFor stands_for,
			 const void *arg, bool outside)
{
	uint64		n = run_with_oid(keys_query, relid);
	SPITupleTable *found = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		char	   *definition = SPI_getvalue(found->vals[i], found->tupdesc, 2);
		bool		isnull;
		Oid			parent = DatumGetObjectId(SPI_getbinval(found->vals[i],
															found->tupdesc, 3,
															&isnull));
		char	   *mark = psprintf(" REFERENCES %s(",
									gs_relation_name(parent, NULL));
		char	   *at = strstr(definition, mark);
		char	   *other = stands_for(parent, arg);

		if (other == NULL && !outside)
			continue;
		if (at != NULL && other != NULL)
			definition = psprintf("%.*s REFERENCES %s(%s",
								  (int) (at - definition), definition, other,
								  at + strlen(mark));
		run(psprintf("ALTER TABLE %s ADD CONSTRAINT %s %s", target,
					 quote_identifier(SPI_getvalue(found->vals[i],
												   found->tupdesc, 1)),
					 definition));
	}
}
