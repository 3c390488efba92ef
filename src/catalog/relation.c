/*
 * relation.c
 *	  The type gensynth.relation: a relation that is kept by its OID and its
 *	  qualified name.
 *
 * An OID survives a rename, and a name survives a dump, or a table that is
 * dropped and made anew.  The type's text is the name that the OID has today,
 * or else the one that is kept, and what is read gets the OID that its name
 * has today.  So a dump has today's names, and after a restore all have the
 * OIDs that are theirs there.  Unlike regclass, it may be of a relation that
 * there is not.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "catalog/relation.h"
#include "compat.h"
#include "table/source.h"

typedef struct KeptRelation
{
	int32		length;			/* of a varlena */
	Oid			relid;			/* InvalidOid: there was none of that name */
	char		name[FLEXIBLE_ARRAY_MEMBER];	/* as SQL writes it; with its 0 */
} KeptRelation;

static const KeptRelation *
get_kept(Datum value)
{
	return (const KeptRelation *) PG_DETOAST_DATUM(value);
}

/*
 * The relation of a qualified name; InvalidOid if there is none.  Whether the
 * caller may look into the schema does not matter.
 */
static Oid
find_by_name(const char *name)
{
	List	   *parts;
	Oid			schema;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) ||
		list_length(parts) != 2)
		return InvalidOid;
	schema = get_namespace_oid(linitial(parts), true);
	return OidIsValid(schema) ? get_relname_relid(llast(parts), schema) :
		InvalidOid;
}

/*
 * gs_relation_find: the relation of an OID, or if there is none, that of a
 * qualified name; InvalidOid if there is none of that name either.
 */
Oid
gs_relation_find(Oid relid, const char *name)
{
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) ? relid :
		find_by_name(name);
}

/*
 * gs_relation_type: the type's OID.  Errors: undefined_object.
 */
Oid
gs_relation_type(void)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									   CStringGetDatum("relation"),
									   ObjectIdGetDatum(get_namespace_oid("gensynth",
																		  false)));

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type gensynth.relation does not exist"),
				 errhint("Create the extension gensynth again.")));
	return type;
}

/*
 * gs_relation_make: a value of the type, in the current context.
 */
Datum
gs_relation_make(Oid relid, const char *name)
{
	Size		length = offsetof(KeptRelation, name) + strlen(name) + 1;
	KeptRelation *kept = palloc(length);

	SET_VARSIZE(kept, length);
	kept->relid = relid;
	strcpy(kept->name, name);
	return PointerGetDatum(kept);
}

GS_FUNCTION(gensynth_relation_in);

Datum
gensynth_relation_in(PG_FUNCTION_ARGS)
{
	const char *name = PG_GETARG_CSTRING(0);

	PG_RETURN_DATUM(gs_relation_make(find_by_name(name), name));
}

GS_FUNCTION(gensynth_relation_out);

Datum
gensynth_relation_out(PG_FUNCTION_ARGS)
{
	const KeptRelation *kept = get_kept(PG_GETARG_DATUM(0));
	bool		alive = SearchSysCacheExists1(RELOID,
											  ObjectIdGetDatum(kept->relid));

	PG_RETURN_CSTRING(alive ? gs_relation_name(kept->relid, NULL) :
					  pstrdup(kept->name));
}

/*
 * gensynth.relation_oid(relation), relation_name(relation): as it is kept.
 */
GS_FUNCTION(gensynth_relation_oid);

Datum
gensynth_relation_oid(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(get_kept(PG_GETARG_DATUM(0))->relid);
}

GS_FUNCTION(gensynth_relation_name);

Datum
gensynth_relation_name(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(get_kept(PG_GETARG_DATUM(0))->name));
}

/*
 * gensynth.relation_now(relation): the relation that it is today, NULL if
 * there is none.
 */
GS_FUNCTION(gensynth_relation_now);

Datum
gensynth_relation_now(PG_FUNCTION_ARGS)
{
	const KeptRelation *kept = get_kept(PG_GETARG_DATUM(0));
	Oid			relid = gs_relation_find(kept->relid, kept->name);

	if (!OidIsValid(relid))
		PG_RETURN_NULL();
	PG_RETURN_OID(relid);
}
