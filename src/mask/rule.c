/*
 * rule.c
 *	  Rules of masking: their grammar, and which types can hold what they
 *	  make.  See rule.h.
 */
#include "postgres.h"

#include <math.h>

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/alike.h"
#include "codec/codec.h"
#include "compat.h"
#include "mask/kind_type.h"
#include "mask/rule.h"

/* What a rule's word may be followed by. */
typedef enum Form
{
	ALONE,
	MAY_HAVE_NAME,				/* in parentheses */
	NEEDS_ARGUMENT
} Form;

static const struct
{
	const char *word;
	GsRuleAction action;
	Form		form;
	const char *example;
}			words[] = {
	{"keep", GS_RULE_KEEP, ALONE, "keep"},
	{"null", GS_RULE_NULL, ALONE, "null"},
	{"synthesize", GS_RULE_SYNTHESIZE, MAY_HAVE_NAME, "synthesize(model)"},
	{"pseudonym", GS_RULE_PSEUDONYM, MAY_HAVE_NAME, "pseudonym(persons)"},
	{"shuffle", GS_RULE_SHUFFLE, ALONE, "shuffle"},
	{"pattern", GS_RULE_PATTERN, NEEDS_ARGUMENT, "pattern:AA-9999"},
	{"constant", GS_RULE_CONSTANT, NEEDS_ARGUMENT, "constant:x"},
	{"generalise", GS_RULE_GENERALISE, NEEDS_ARGUMENT, "generalise:month"}
};

static const char *const units[] = {"day", "week", "month", "quarter", "year",
"decade", "century"};

GS_NORETURN static void
report_unknown(const char *word)
{
	GsAlike		alike;

	gs_alike_begin(&alike, word);
	for (int i = 0; i < lengthof(words); i++)
		gs_alike_add(&alike, words[i].word);
	for (int i = 0; i < GS_KIND_COUNT; i++)
		gs_alike_add(&alike, gs_kinds[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("rule \"%s\" does not exist", word),
			 alike.list.len > 0 ?
			 errhint("Perhaps you meant %s.", alike.list.data) :
			 errhint("A rule is a kind of values, such as \"email\", or one of"
					 " keep, null, synthesize, pseudonym, shuffle, pattern:...,"
					 " constant:... and generalise:...")));
}

GS_NORETURN static void
report_form(const char *text, const char *example)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rule \"%s\" is not written as it should be", text),
			 errhint("Write, for example, \"%s\".", example)));
}

/* Takes blanks off both ends. */
static char *
trim(char *text)
{
	char	   *end;

	while (*text == ' ')
		text++;
	end = text + strlen(text);
	while (end > text && end[-1] == ' ')
		end--;
	*end = '\0';
	return text;
}

/*
 * gs_rule_is_place: whether values of a kind may be drawn from the table's own
 * rows, together with others of a place.
 */
bool
gs_rule_is_place(GsKindId kind)
{
	return kind == GS_KIND_CITY || kind == GS_KIND_POSTCODE ||
		kind == GS_KIND_STATE || kind == GS_KIND_STATE_CODE;
}

static void
read_option(GsRule *rule, const char *name, const char *value)
{
	if (strcmp(name, "locale") == 0)
		rule->locale = gs_locale_lookup(value);
	else if (strcmp(name, "from") == 0 && gs_rule_is_place(rule->kind->id))
	{
		if (strcmp(value, "table") != 0 && strcmp(value, "lists") != 0)
			report_form(rule->text, "city(from=table)");
		rule->own = strcmp(value, "table") == 0;
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("option \"%s\" of rule \"%s\" does not exist", name,
						rule->text),
				 errhint("A kind has the option \"locale\"; city, state, state_code and postcode have \"from\" (table or lists), too.")));
}

/* The options of a kind: "locale=de_DE, from=table". */
static void
read_options(GsRule *rule, char *options)
{
	for (char *next; options != NULL; options = next)
	{
		char	   *value = strchr(options, '=');

		next = strchr(options, ',');
		if (value == NULL || (next != NULL && value > next))
			report_form(rule->text, "phone(locale=de_DE)");
		*value++ = '\0';
		if (next != NULL)
			*next++ = '\0';
		read_option(rule, trim(options), trim(value));
	}
}

/* What PostgreSQL's own casts know of a number: above 0 and finite. */
static bool
is_step(const char *text)
{
	char	   *end;
	double		step = strtod(text, &end);

	return end > text && *end == '\0' && strspn(text, "0123456789.") ==
		strlen(text) && step > 0 && isfinite(step);
}

static bool
is_unit(const char *text)
{
	for (int i = 0; i < lengthof(units); i++)
		if (strcmp(text, units[i]) == 0)
			return true;
	return false;
}

static void
check_argument(const GsRule *rule)
{
	if (rule->action == GS_RULE_GENERALISE && !is_unit(rule->argument) &&
		!is_step(rule->argument))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot generalise to \"%s\"", rule->argument),
				 errhint("Dates take day, week, month, quarter, year, decade"
						 " and century; numbers take a number above 0.")));
	if (rule->action == GS_RULE_PATTERN &&
		strpbrk(rule->argument, "Aa9") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pattern \"%s\" has only one value", rule->argument),
				 errhint("\"A\" is an upper and \"a\" a lower letter, and"
						 " \"9\" is a digit; \"constant:%s\" makes all values"
						 " the same.", rule->argument)));
}

/*
 * gs_rule_parse: reads a rule.
 *
 * Returns it in the current memory context.  Errors: 42704 for a word, an
 * option or a locale that does not exist, with the nearest names; 22023 for
 * what is not written as a rule is.
 */
GsRule *
gs_rule_parse(const char *text)
{
	GsRule	   *rule = palloc0(sizeof(GsRule));
	char	   *word = trim(pstrdup(text));
	char	   *rest = strpbrk(word, ":(");
	char		mark = rest != NULL ? *rest : '\0';

	rule->text = pstrdup(word);
	rule->locale = -1;
	if (mark == '(')
	{
		size_t		len = strlen(rest);

		if (rest[len - 1] != ')')
			report_form(rule->text, "phone(locale=de_DE)");
		rest[len - 1] = '\0';
	}
	if (mark != '\0')
	{
		*rest++ = '\0';
		word = trim(word);
	}
	for (int i = 0; i < lengthof(words); i++)
	{
		if (strcmp(word, words[i].word) != 0)
			continue;
		rule->action = words[i].action;
		if (mark != (words[i].form == NEEDS_ARGUMENT ? ':' : '\0') &&
			!(mark == '(' && words[i].form == MAY_HAVE_NAME))
			report_form(rule->text, words[i].example);
		if (mark == ':')
			rule->argument = rest;
		if (mark == '(' && trim(rest)[0] == '\0')
			report_form(rule->text, words[i].example);
		if (mark == '(' && rule->action == GS_RULE_SYNTHESIZE)
			rule->model = trim(rest);
		else if (mark == '(')
			rule->group = trim(rest);
		if (mark == ':')
			check_argument(rule);
		return rule;
	}
	rule->action = GS_RULE_KIND;
	rule->kind = gs_kind_by_name(word);
	if (rule->kind == NULL)
		report_unknown(word);
	if (mark == ':')
		report_form(rule->text, "phone(locale=de_DE)");
	if (mark == '(')
		read_options(rule, rest);
	return rule;
}

/*
 * gs_is_citext: whether a type is that of the extension citext, whose texts are
 * equal whatever the case.
 */
bool
gs_is_citext(Oid type)
{
	return type >= FirstNormalObjectId &&
		gs_is_of_extension(TypeRelationId, type, "citext") &&
		IsBinaryCoercible(type, TEXTOID);
}

/*
 * gs_is_masked_text: whether values of a type, no domain, are texts to masking.
 */
bool
gs_is_masked_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID ||
		gs_is_citext(type);
}

/*
 * gs_is_pseudonym_type: whether values of a type have pseudonyms: texts,
 * whole numbers and uuids.
 */
bool
gs_is_pseudonym_type(Oid type, int32 typmod)
{
	type = getBaseTypeAndTypmod(type, &typmod);
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
			return true;
		case NUMERICOID:
			/* without a fraction, or of any scale; not too few for a table of
			 * all to be made */
			return typmod < (int32) VARHDRSZ ||
				(((typmod - (int32) VARHDRSZ) & 0x7ff) == 0 &&
				 ((typmod - (int32) VARHDRSZ) >> 16 & 0xffff) > 3);
		default:
			return gs_is_citext(type);
	}
}

static bool
fits_generalise(const GsRule *rule, Oid type, const char **reason)
{
	bool		unit = is_unit(rule->argument);

	switch (type)
	{
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*reason = "Dates and time stamps are generalised to a unit, such as \"month\".";
			return unit;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*reason = "Whole numbers are generalised to multiples of a whole number, such as \"10\".";
			return !unit && strchr(rule->argument, '.') == NULL &&
				strlen(rule->argument) < 19;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			*reason = "Numbers are generalised to multiples of a number, such as \"10\".";
			return !unit;
		default:
			*reason = "Dates, time stamps and numbers can be generalised.";
			return false;
	}
}

static bool
fits_constant(const GsRule *rule, Oid type, int32 typmod,
			  const char **reason)
{
	Oid			input;
	Oid			ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	/* an error of the type's own says best what is wrong */
	OidInputFunctionCall(input, pstrdup(rule->argument), ioparam, typmod);
	*reason = NULL;
	return true;
}

/*
 * gs_rule_fits: whether a type can hold what a rule makes.
 *
 * *reason: why it cannot, a sentence.  Errors: those of the type's input
 * function, for a constant.
 */
bool
gs_rule_fits(const GsRule *rule, Oid type, int32 typmod, const char **reason)
{
	Oid			base = getBaseTypeAndTypmod(type, &typmod);
	GsCodec		codec;

	*reason = NULL;
	switch (rule->action)
	{
		case GS_RULE_KEEP:
		case GS_RULE_NULL:
		case GS_RULE_SHUFFLE:
			return true;
		case GS_RULE_KIND:
			return gs_kind_fits_type(rule->kind, base, typmod, reason);
		case GS_RULE_SYNTHESIZE:
			*reason = "Models do not learn columns of this type.";
			return gs_codec_for_type(&codec, base, typmod);
		case GS_RULE_PSEUDONYM:
			*reason = "Texts, whole numbers of more than three digits and uuids have pseudonyms.";
			return gs_is_pseudonym_type(base, typmod);
		case GS_RULE_PATTERN:
			*reason = gs_is_masked_text(base) ? "The pattern is longer than the column's type lets it be." :
				"Patterns make texts.";
			return gs_is_masked_text(base) &&
				(typmod < (int32) VARHDRSZ ||
				 pg_mbstrlen(rule->argument) <= typmod - VARHDRSZ);
		case GS_RULE_CONSTANT:
			return fits_constant(rule, base, typmod, reason);
		case GS_RULE_GENERALISE:
			return fits_generalise(rule, base, reason);
	}
	return false;
}
