/*
 * private_ask.c
 *	  What a private fit may be asked for.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/ledger.h"
#include "fit/private.h"

/* Of the budget, for ends that are not known, at most. */
#define MAX_SHARE		0.9

/* Options of every fit that a private one heeds. */
static const char *const heeded[] = {
	"bounds", "categories", "constraints", "on_violation", "keep_versions",
	"privacy_unit", "max_rows_per_unit", "target", "pairs",
	"domain_share", "differences"
};

static bool
is_heeded(const GsPrivateRequest *request, const char *key)
{
	const GsFamily *family = request->family;

	/* of parents; of the table itself, nothing would be private */
	if (strcmp(key, "public") == 0)
		return request->options->public.names != NIL;
	for (int i = 0; i < lengthof(heeded); i++)
		if (strcmp(heeded[i], key) == 0)
			return true;
	/* the version before is another release, or none */
	for (int i = 0; i < family->noptions; i++)
		if (strcmp(family->options[i].name, key) == 0)
			return strcmp(key, "warm_start") != 0;
	return false;
}

/*
 * An error for the first option that looks at rows in ways that are not
 * charged, or means nothing here.
 */
static void
check_options(const GsPrivateRequest *request, Jsonb *options)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (options == NULL)
		return;
	iterator = JsonbIteratorInit(&options->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *key;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		if (!is_heeded(request, key))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" cannot be used together with epsilon",
							key),
					 errhint("It is about rows as they are, which a differentially private fit never looks at.")));
	}
}

/*
 * gs_private_check: what can be said against a private fit before its domain
 * is read.
 *
 * options: as they were given, an object, or NULL.  Errors:
 * invalid_parameter_value, feature_not_supported.
 */
void
gs_private_check(const GsPrivateRequest *request, const GsSource *source,
				 bool temporary, Jsonb *options)
{
	if (!(request->epsilon > 0) || isinf(request->epsilon))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("epsilon must be a number above 0"),
				 errhint("1 is usual; the less it is, the less can be told of a row.")));
	gs_ledger_check_delta(request->delta);
	check_options(request, options);
	if (request->options->domain_share > MAX_SHARE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"domain_share\" is out of range"),
				 errhint("It is a number above 0, and %g at most: the rest is for counts.",
						 MAX_SHARE)));
	if (request->options->target != NULL && request->options->pairs == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"target\" means nothing without pairs of columns"),
				 errhint("Leave out one of the options \"target\" and \"pairs\".")));
	if (temporary)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("temporary tables cannot be learned with epsilon"),
				 errdetail("No ledger can be kept of what goes away with the session."),
				 errhint("Use an ordinary table.")));
	(void) gs_private_table_of(source, request->options->public.names);
}
