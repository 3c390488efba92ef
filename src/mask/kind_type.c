/*
 * kind_type.c
 *	  Kinds and PostgreSQL: names that users write, the types of columns,
 *	  values as datums, and synth_fake.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "catalog/alike.h"
#include "compat.h"
#include "mask/kind_type.h"

GS_FUNCTION(synth_fake);

/* digits that whole numbers surely have room for */
#define INT2_DIGITS		4
#define INT4_DIGITS		9
#define INT8_DIGITS		18

/*
 * gs_kind_lookup: a kind by its name.  Errors: undefined_object, with the
 * nearest names.
 */
const GsKind *
gs_kind_lookup(const char *name)
{
	const GsKind *kind = gs_kind_by_name(name);
	GsAlike		alike;

	if (kind)
		return kind;
	gs_alike_begin(&alike, name);
	for (int i = 0; i < GS_KIND_COUNT; i++)
		gs_alike_add(&alike, gs_kinds[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("kind \"%s\" does not exist", name),
			 alike.list.len > 0 ?
			 errhint("Perhaps you meant %s.", alike.list.data) :
			 errhint("SELECT * FROM synth_kinds lists the kinds.")));
}

/*
 * gs_locale_lookup: the GsLocaleId of a name.  Errors: undefined_object, with
 * all there are.
 */
int
gs_locale_lookup(const char *name)
{
	int			locale = gs_locale_by_name(name);
	StringInfoData all;

	if (locale >= 0)
		return locale;
	initStringInfo(&all);
	for (int i = 0; i < GS_LOCALE_COUNT; i++)
		appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", gs_locale_names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("locale \"%s\" does not exist", name),
			 errhint("Locales are %s.", all.data)));
}

/*
 * What a type takes: GS_FITS_*; 0 for texts, -1 for others.  *room: characters
 * or digits; 0: any.
 */
static int
type_takes(Oid type, int32 typmod, int *room)
{
	char		category;
	bool		preferred;

	*room = 0;
	switch (type)
	{
		case INT2OID:
			*room = INT2_DIGITS;
			return GS_FITS_DIGITS;
		case INT4OID:
			*room = INT4_DIGITS;
			return GS_FITS_DIGITS;
		case INT8OID:
			*room = INT8_DIGITS;
			return GS_FITS_DIGITS;
		case NUMERICOID:
			/* precision less scale, as numeric.c packs them */
			if (typmod >= (int32) VARHDRSZ)
				*room = ((typmod - VARHDRSZ) >> 16 & 0xffff) -
					((((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024);
			return GS_FITS_DIGITS | GS_FITS_NUMBER;
		case FLOAT4OID:
		case FLOAT8OID:
			return GS_FITS_NUMBER;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return GS_FITS_DATE;
		case UUIDOID:
			return GS_FITS_UUID;
		case INETOID:
		case CIDROID:
			return GS_FITS_INET;
		case MACADDROID:
			return GS_FITS_MACADDR;
		case POINTOID:
			return GS_FITS_POINT;
		case NAMEOID:
			/* in bytes, of up to four a character */
			*room = (NAMEDATALEN - 1) / 4;
			return 0;
		case VARCHAROID:
		case BPCHAROID:
			if (typmod >= (int32) VARHDRSZ)
				*room = typmod - VARHDRSZ;
			return 0;
		default:
			get_type_category_preferred(type, &category, &preferred);
			return category == TYPCATEGORY_STRING && type != CHAROID ? 0 : -1;
	}
}

/*
 * gs_kind_fits_type: whether values of a kind can be of a type.
 *
 * *reason: if not, why, a sentence for a hint.
 */
bool
gs_kind_fits_type(const GsKind *kind, Oid type, int32 typmod,
				  const char **reason)
{
	Oid			base = getBaseTypeAndTypmod(type, &typmod);
	int			room;
	int			takes = type_takes(base, typmod, &room);

	*reason = NULL;
	if (takes < 0 || (takes > 0 && (kind->fits & takes) == 0))
	{
		*reason = psprintf("Values of this kind are texts%s.",
						   kind->fits & GS_FITS_DIGITS ? " or whole numbers" :
						   kind->fits & GS_FITS_NUMBER ? " or numbers" :
						   kind->fits & GS_FITS_DATE ? ", dates or time stamps" :
						   kind->fits & GS_FITS_UUID ? " or of type uuid" :
						   kind->fits & GS_FITS_INET ? " or of type inet" :
						   kind->fits & GS_FITS_MACADDR ? " or of type macaddr" :
						   kind->fits & GS_FITS_POINT ? " or points" : "");
		return false;
	}
	if (room > 0 && room < kind->shortest &&
		(takes == 0 || (kind->fits & GS_FITS_DIGITS) != 0))
	{
		*reason = psprintf("The shortest values of this kind have %d characters.",
						   kind->shortest);
		return false;
	}
	return true;
}

/*
 * gs_kind_column: how values of a kind become those of a column of a type.
 *
 * suffix_digits: 0, or of the number that makes its values distinct.  Errors:
 * datatype_mismatch; string_data_right_truncation where the type has no room.
 */
void
gs_kind_column(GsKindColumn *column, const GsKind *kind, Oid type,
			   int32 typmod, int suffix_digits)
{
	const char *reason;
	Oid			input;
	int			takes;

	memset(column, 0, sizeof(*column));
	column->kind = kind;
	column->typmod = typmod;
	column->type = getBaseTypeAndTypmod(type, &column->typmod);
	takes = type_takes(column->type, column->typmod, &column->want.max_chars);
	if (!gs_kind_fits_type(kind, type, typmod, &reason))
		ereport(ERROR,
				(errcode(takes == 0 ? ERRCODE_STRING_DATA_RIGHT_TRUNCATION :
						 ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of kind \"%s\" do not fit type %s",
						kind->name, format_type_with_typemod(type, typmod)),
				 errhint("%s", reason)));
	column->want.digits = takes > 0 && (kind->fits & takes & GS_FITS_DIGITS);
	if (takes > 0 && !column->want.digits)
		column->want.max_chars = 0;
	if (kind->unique)
		column->want.suffix_digits = Min(suffix_digits, 19);
	getTypeInputInfo(column->type, &input, &column->ioparam);
	fmgr_info_cxt(input, &column->input, CurrentMemoryContext);
}

/* A text in UTF-8 in the encoding of the database. */
static char *
in_database(char *text, int len)
{
	/* lists are valid: what is made of them need not be looked at again */
	return GetDatabaseEncoding() == PG_UTF8 ? text :
		pg_any_to_server(text, len, PG_UTF8);
}

/*
 * gs_kind_datum: the row's value for a column, of its base type: what a domain
 * checks is the caller's.
 *
 * suffix: of a column that has suffix_digits.  The datum is in the current
 * memory context.  Errors: string_data_right_truncation where not even the
 * shortest form fits.
 */
Datum
gs_kind_datum(GsKindColumn *column, GsFake *fake, uint64 suffix)
{
	char		buffer[GS_FAKE_BYTES];
	int			len;

	column->want.suffix = suffix;
	len = gs_fake_value(fake, column->kind->id, &column->want, buffer);
	if (len < 0)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("a value of kind \"%s\" does not fit type %s",
						column->kind->name,
						format_type_with_typemod(column->type,
												 column->typmod))));
	if (column->type == TEXTOID || column->type == VARCHAROID)
	{
		char	   *text = in_database(buffer, len);

		return PointerGetDatum(text == buffer ?
							   cstring_to_text_with_len(buffer, len) :
							   cstring_to_text(text));
	}
	return InputFunctionCall(&column->input, in_database(buffer, len),
							 column->ioparam, column->typmod);
}

/*
 * gs_kind_in_domain: whether a value meets the CHECKs of a domain.
 *
 * domain: set up with expressions.  context: of the caller's own, which is
 * reset.
 */
bool
gs_kind_in_domain(DomainConstraintRef *domain, ExprContext *context,
				  Datum value)
{
	bool		is = true;
	ListCell   *cell;

	ResetExprContext(context);
	context->domainValue_datum = value;
	context->domainValue_isNull = false;
	UpdateDomainConstraintRef(domain);
	foreach(cell, domain->constraints)
	{
		const DomainConstraintState *state = lfirst(cell);

		is = is && (state->constrainttype != DOM_CONSTRAINT_CHECK ||
					ExecCheck(state->check_exprstate, context));
	}
	return is;
}

/* What synth_fake keeps between calls of a query. */
typedef struct Faker
{
	GsFakeSetup setup;
	const GsKind *kind;			/* of the last call */
} Faker;

static Faker *
faker_of(FmgrInfo *function)
{
	MemoryContext old;
	Faker	   *faker = function->fn_extra;

	if (faker == NULL)
	{
		old = MemoryContextSwitchTo(function->fn_mcxt);
		faker = palloc0(sizeof(Faker));
		faker->setup.ascii = GetDatabaseEncoding() != PG_UTF8;
		gs_kind_lists(&faker->setup);
		MemoryContextSwitchTo(old);
		function->fn_extra = faker;
	}
	return faker;
}

/*
 * synth_fake(kind text, key text, locale text) RETURNS text
 *
 * A value of a kind.  Of the same key all kinds are of one row and fit each
 * other; without a key it is another one each time.
 */
Datum
synth_fake(PG_FUNCTION_ARGS)
{
	Faker	   *faker = faker_of(fcinfo->flinfo);
	uint64_t	random[2];
	GsFakeWant	want = {0};
	GsFake		fake;
	char		buffer[GS_FAKE_BYTES];
	text	   *name;
	int			len;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	name = PG_GETARG_TEXT_PP(0);
	if (!faker->kind ||
		strlen(faker->kind->name) != VARSIZE_ANY_EXHDR(name) ||
		memcmp(faker->kind->name, VARDATA_ANY(name),
			   VARSIZE_ANY_EXHDR(name)) != 0)
		faker->kind = gs_kind_lookup(text_to_cstring(name));
	faker->setup.locale = PG_ARGISNULL(2) ? -1 :
		gs_locale_lookup(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (PG_ARGISNULL(1))
	{
		if (!pg_strong_random(random, sizeof(random)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
	}
	else
	{
		text	   *key = PG_GETARG_TEXT_PP(1);

		for (int i = 0; i < 2; i++)
			random[i] = hash_bytes_extended((unsigned char *) VARDATA_ANY(key),
											VARSIZE_ANY_EXHDR(key), i + 1);
	}
	gs_fake_begin(&fake, &faker->setup, random);
	len = gs_fake_value(&fake, faker->kind->id, &want, buffer);
	if (len < 0)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("values of kind \"%s\" are too long",
						faker->kind->name),
				 errhint("Make its list anew with synth_list.")));
	PG_RETURN_TEXT_P(cstring_to_text(in_database(buffer, len)));
}
