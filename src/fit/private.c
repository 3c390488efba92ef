/*
 * private.c
 *	  Differentially private fits.
 *
 *	what is public -> charge -> counts in passes -> noise -> schema -> family
 *
 * A path of its own beside that of fit.c, which looks at rows as it likes.
 * Here rows are touched in one way only: a vector of counts, of which a row
 * changes each by at most one, gets discrete Gaussian noise, and what comes of
 * that is all that goes on.  What it costs is known, and has been charged in
 * the ledger, for good, before the first row is read.  Everything after it is
 * post-processing.  See docs/privacy.md.
 *
 * Nothing that a user sees on the way, errors and notes included, may follow
 * from anything but the catalog and these numbers.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/ledger.h"
#include "constraint/decide.h"
#include "fit/learnable.h"
#include "fit/private.h"
#include "model/dependency.h"
#include "privacy/account.h"
#include "worker/progress.h"

#define MAX_DELTA		0.01
/* Of a column's cells: what its share of the budget rises with. */
#define SHARE_EXPONENT	(2.0 / 3.0)

/* Options of every fit that a private one heeds. */
static const char *const heeded[] = {
	"bounds", "categories", "constraints", "on_violation", "keep_versions"
};

static bool
is_heeded(const GsFamily *family, const char *key)
{
	for (int i = 0; i < lengthof(heeded); i++)
		if (strcmp(heeded[i], key) == 0)
			return true;
	for (int i = 0; i < family->noptions; i++)
		if (strcmp(family->options[i].name, key) == 0)
			return true;
	return false;
}

/*
 * An error for the first option that looks at rows in ways that are not
 * charged, or means nothing here.
 */
static void
check_options(const GsFamily *family, Jsonb *options)
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
		if (!is_heeded(family, key))
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
	char		kind = OidIsValid(source->relid) ?
		get_rel_relkind(source->relid) : '\0';

	if (!(request->epsilon > 0) || isinf(request->epsilon))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("epsilon must be a number above 0"),
				 errhint("1 is usual; the less it is, the less can be told of a row.")));
	if (!(request->delta > 0) || request->delta > MAX_DELTA)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("delta must be above 0, and %g at most", MAX_DELTA),
				 errhint("It should be far below 1 in the number of rows; the default is 1e-6.")));
	if (request->family->fit_counts == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("method \"%s\" cannot learn with epsilon",
						request->family->name),
				 errhint("Use method \"private\", or leave the method out.")));
	check_options(request->family, options);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("only tables can be learned with epsilon"),
				 errdetail("What one row of a table changes in a view or query is not known."),
				 errhint("Pass the name of a table.")));
	if (temporary)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("temporary tables cannot be learned with epsilon"),
				 errdetail("No ledger can be kept of what goes away with the session."),
				 errhint("Use an ordinary table.")));
}

/*
 * An error for the columns whose values nobody has declared.
 */
static void
report_undeclared(const GsColumn *columns, const GsPublic *public, int n)
{
	StringInfoData names;
	int			count = 0;

	initStringInfo(&names);
	for (int c = 0; c < n; c++)
		if (public[c].kind == GS_PUBLIC_NOTHING)
			appendStringInfo(&names, "%s\"%s\" (%s)", count++ > 0 ? ", " : "",
							 columns[c].name,
							 format_type_be(columns[c].declared));
	if (count == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the values of %s %s are not declared",
					count == 1 ? "column" : "columns", names.data),
			 errdetail("To find them in the rows is not free of charge."),
			 errhint("Declare ends of numbers and dates as in options => '{\"bounds\": {\"age\": [0, 100]}}' and all values of others as in '{\"categories\": {\"sex\": [\"F\", \"M\"]}}', add CHECK constraints, or leave columns out with exclude.")));
}

/*
 * Leaves out generated columns whose values are not declared: the table that
 * takes the rows computes them.
 */
static GsSource *
leave_out_generated(GsSource *source, const GsColumn *columns,
					const GsPublic *public, int n, List **notes)
{
	List	   *names = NIL;
	bool		found = false;

	for (int c = 0; c < n; c++)
	{
		if (public[c].kind != GS_PUBLIC_NOTHING ||
			!gs_source_computes(source, columns[c].name))
		{
			names = lappend(names, columns[c].name);
			continue;
		}
		found = true;
		*notes = lappend(*notes,
						 psprintf("column \"%s\" is generated, and left to the table that takes the rows",
								  columns[c].name));
	}
	return found && names != NIL ?
		gs_source_open(source->text, names, NIL) : source;
}

/*
 * What is known of the source's columns without a row.
 */
static GsSchema *
read_public(const GsPrivateRequest *request, GsSource **source, List **notes)
{
	GsPublic   *public;
	GsColumn   *columns;

	for (;;)
	{
		int			n = (*source)->desc->natts;
		GsSource   *left;

		columns = palloc(sizeof(GsColumn) * n);
		for (int c = 0; c < n; c++)
			gs_learnable_column(*source, c, &columns[c]);
		public = gs_public_read(*source, request->options, columns);
		left = leave_out_generated(*source, columns, public, n, notes);
		if (left == *source)
			break;
		*source = left;
	}
	report_undeclared(columns, public, (*source)->desc->natts);
	return gs_private_schema(columns, (*source)->desc->natts, public);
}

/*
 * Splits rho over vectors of counts: the error of one is its cells times
 * sigma, so shares rise with cells^(2/3) (a Lagrange multiplier finds that).
 *
 * Errors: invalid_parameter_value where the noise would be beyond its range.
 */
static void
split_budget(GsPrivateCells *cells, int n, double rho)
{
	double		all = 0;

	for (int i = 0; i < n; i++)
		all += pow(cells[i].ncells, SHARE_EXPONENT);
	for (int i = 0; i < n; i++)
	{
		/* less what rounding could add up to */
		double		share = pow(cells[i].ncells, SHARE_EXPONENT) / all *
			(1 - 1e-9);

		if (!gs_privacy_sigma(rho * share, 1, &cells[i].num, &cells[i].den))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("epsilon is out of range for %d columns", n),
					 errhint("Noise of a standard deviation from 0.006 to a million can be drawn.")));
		cells[i].sigma = sqrt((double) cells[i].num / cells[i].den);
		cells[i].rho = gs_privacy_cost(1, cells[i].num, cells[i].den);
	}
}

static const char *
cells_name(const GsSchema *schema, const GsPrivateCells *cells)
{
	const GsFeature *feature;

	if (cells->feature < 0)
		return "rows";
	feature = &schema->features[cells->feature];
	return psprintf(feature->part < 0 ? "rows by whether %s is null" :
					"rows by %s",
					quote_identifier(schema->columns[feature->column].name));
}

/*
 * An error unless the caller may read the source: nobody else's budget is to
 * be spent.  The executor begins, but is asked for no row.
 */
static void
check_rights(GsSource *source)
{
	gs_source_close(gs_source_cursor(source));
}

/*
 * Charges the table for what is going to be asked; returns the row of the
 * ledger.  Nothing takes it back.
 */
static int64
charge_table(const GsPrivateRequest *request, const GsSource *source,
	   const GsSchema *schema, const GsPrivateCells *cells, int n, double rho)
{
	GsLedgerStep *steps = palloc(sizeof(GsLedgerStep) * n);

	for (int i = 0; i < n; i++)
		steps[i] = (GsLedgerStep)
	{
		cells_name(schema, &cells[i]), cells[i].ncells, cells[i].sigma,
			cells[i].rho
	};
	return gs_ledger_debit(source->relid, request->model,
						   request->family->name, request->epsilon,
						   request->delta, rho, steps, n);
}

/*
 * The number of rows that all counts together say, each with the weight that
 * its noise leaves it; 0 at least.
 */
static double
noisy_rows(const GsPrivateCells *cells, int n)
{
	double		sum = 0;
	double		weights = 0;

	for (int i = 0; i < n; i++)
	{
		double		weight = 1 / (cells[i].ncells * cells[i].sigma *
								  cells[i].sigma);
		int64		total = 0;

		for (int k = 0; k < cells[i].ncells; k++)
			total += cells[i].count[k];
		sum += weight * total;
		weights += weight;
	}
	return Max(rint(sum / weights), 0);
}

/*
 * A key for the random numbers of the family, which are no secret: any
 * function of what is released will do.
 */
static uint64
key_of(const GsPrivateCells *cells, int n)
{
	uint64		key = 0;

	for (int i = 0; i < n; i++)
		key = hash_bytes_extended((const unsigned char *) cells[i].count,
								  sizeof(int64) * cells[i].ncells, key);
	return key;
}

/*
 * The family's own work, from noisy counts alone.
 */
static void
fit_family(const GsPrivateRequest *request, GsFitContext *context,
		   const GsPrivateCells *cells, int n, double rows)
{
	int		   *ncells = palloc(sizeof(int) * n);
	bool	   *ordered = palloc(sizeof(bool) * n);
	bool	   *nullable = palloc(sizeof(bool) * n);
	GsMarginal *marginals = palloc(sizeof(GsMarginal) * n);
	GsNoisyTable table = {
		.ncolumns = n,.ncells = ncells,.ordered = ordered,
		.nullable = nullable,.rows = rows,.nmarginals = n,
		.marginals = marginals
	};

	for (int i = 0; i < n; i++)
	{
		ncells[i] = cells[i].ncells;
		ordered[i] = cells[i].ordered;
		nullable[i] = cells[i].null_cell >= 0;
		marginals[i] = (GsMarginal)
		{
			i, -1, cells[i].sigma, cells[i].count
		};
	}
	/* no structure is looked for */
	gs_dependency_save(NULL, 0, &context->tensors);
	context->key = key_of(cells, n);
	request->family->fit_counts(context, &table);
}

/*
 * gs_private_learn: learns a table with differential privacy; the context gets
 * schema, tensors and notes, the version what else is known of it.
 *
 * request, source: that gs_private_check lets pass.  Returns the row of the
 * ledger that it was charged to.  Errors: those of the options and of the
 * ledger, before a row is read.
 */
int64
gs_private_learn(const GsPrivateRequest *request, GsSource *source,
				 GsFitContext *context, GsVersionEntry *version)
{
	double		rho = gs_privacy_rho(request->epsilon, request->delta);
	GsSchema   *schema = read_public(request, &source, &version->notes);
	int			n;
	GsPrivateCells *cells = gs_private_cells(schema, &n);
	int64		charged;
	double		rows;

	/* decided by the schema, like all that is not counted */
	version->constraints = gs_constraints_decide(gs_constraints_read(source->relid),
												 request->options->constraints,
												 NIL, schema);
	split_budget(cells, n, rho);
	check_rights(source);
	charged = charge_table(request, source, schema, cells, n, rho);
	gs_progress_phase(GS_PHASE_READING, 0, -1);
	gs_private_count(schema, source, cells, n);
	for (int i = 0; i < n; i++)
		gs_release(cells[i].count, cells[i].ncells, cells[i].num,
				   cells[i].den);
	rows = noisy_rows(cells, n);
	gs_private_shares(schema, cells, n, Max(rows, 1));
	context->schema = version->schema = schema;
	gs_fit_note(context, "differentially private: epsilon %g, delta %g (rho %.4g of zero-concentrated privacy), for one row added or removed",
				request->epsilon, request->delta, rho);
	fit_family(request, context, cells, n, rows);
	version->rows = (int64) rows;
	version->epsilon = request->epsilon;
	version->delta = request->delta;
	return charged;
}
