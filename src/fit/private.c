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
/* Of the budget, for columns by themselves; the rest is for pairs. */
#define COLUMNS_SHARE	0.4

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
 *
 * pairs: the rho that is set aside for counts whose cells are not known yet
 */
static int64
charge_table(const GsPrivateRequest *request, const GsSource *source,
			 const GsPrivateTable *table, double rho, double pairs)
{
	int			n = 0;
	GsLedgerStep *steps = palloc(sizeof(GsLedgerStep) *
								 (table->ncolumns + 1));

	for (int i = 0; i < table->ncolumns; i++)
	{
		const GsPrivateVector *vector = &table->column[i].vector;

		steps[n++] = (GsLedgerStep)
		{
			cells_name(table->schema, &table->column[i]), vector->ncells,
				vector->sigma, vector->rho
		};
	}
	/* as noisy as if all were one vector */
	if (pairs > 0)
		steps[n++] = (GsLedgerStep)
	{
		"rows by pairs of columns", 0, sqrt(1 / (2 * pairs)), pairs
	};
	return gs_ledger_debit(source->relid, request->model,
						   request->family->name, request->epsilon,
						   request->delta, rho, steps, n);
}

/*
 * The number of rows that all columns together say, each with the weight that
 * its noise leaves it; 0 at least.
 */
static double
noisy_rows(const GsPrivateTable *table)
{
	double		sum = 0;
	double		weights = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		const GsPrivateVector *vector = &table->column[i].vector;
		double		weight = 1 / (vector->ncells * vector->sigma *
								  vector->sigma);
		int64		total = 0;

		for (int k = 0; k < vector->ncells; k++)
			total += vector->count[k];
		sum += weight * total;
		weights += weight;
	}
	return Max(rint(sum / weights), 0);
}

static uint64
hash_vector(const GsPrivateVector *vector, uint64 key)
{
	return hash_bytes_extended((const unsigned char *) vector->count,
							   sizeof(int64) * vector->ncells, key);
}

/*
 * A key for the random numbers of the family, which are no secret: any
 * function of what is released will do.
 */
static uint64
key_of(const GsPrivateTable *table)
{
	uint64		key = 0;

	for (int i = 0; i < table->ncolumns; i++)
		key = hash_vector(&table->column[i].vector, key);
	for (int p = 0; p < table->npairs; p++)
		key = hash_vector(&table->pair[p].vector, key);
	return key;
}

/*
 * The family's own work, from noisy counts alone.
 */
static void
fit_family(const GsFamily *family, GsFitContext *context,
		   const GsPrivateTable *table)
{
	int			n = table->column[0].feature < 0 ? 0 : table->ncolumns;
	int		   *ncells = palloc(sizeof(int) * (n + 1));
	bool	   *ordered = palloc(sizeof(bool) * (n + 1));
	bool	   *nullable = palloc(sizeof(bool) * (n + 1));
	int		   *nbins = palloc(sizeof(int) * (n + 1));
	const int32_t **bin = palloc(sizeof(int32_t *) * (n + 1));
	GsMarginal *marginals = palloc(sizeof(GsMarginal) *
								   (n + table->npairs + 1));
	GsNoisyTable noisy = {
		.ncolumns = n,.ncells = ncells,.ordered = ordered,
		.nullable = nullable,.rows = table->rows,
		.nmarginals = n + table->npairs,.marginals = marginals,
		.nbins = table->npairs > 0 ? nbins : NULL,.bin = bin
	};

	for (int i = 0; i < n; i++)
	{
		const GsPrivateCells *cells = &table->column[i];

		ncells[i] = cells->vector.ncells;
		ordered[i] = cells->ordered;
		nullable[i] = cells->null_cell >= 0;
		nbins[i] = cells->nbins;
		bin[i] = cells->bin;
		marginals[i] = (GsMarginal)
		{
			i, -1, cells->vector.sigma, cells->vector.count
		};
	}
	for (int p = 0; p < table->npairs; p++)
		marginals[n + p] = (GsMarginal)
	{
		table->pair[p].first, table->pair[p].second,
			table->pair[p].vector.sigma, table->pair[p].vector.count
	};
	/* no structure is looked for */
	gs_dependency_save(NULL, 0, &context->tensors);
	context->key = key_of(table);
	family->fit_counts(context, &noisy);
}

/*
 * The passes over the rows, after each of which noise is added.
 *
 * pairs: rho
 */
static void
count_table(GsPrivateTable *table, GsSource *source, double pairs,
			List **notes)
{
	gs_progress_phase(GS_PHASE_READING, 0, -1);
	gs_private_count(table, source);
	for (int i = 0; i < table->ncolumns; i++)
		gs_release(&table->column[i].vector);
	table->rows = noisy_rows(table);
	if (pairs > 0)
		gs_private_bins(table, pairs, notes);
	if (table->npairs == 0)
		return;
	gs_private_count_pairs(table, source);
	for (int p = 0; p < table->npairs; p++)
		gs_release(&table->pair[p].vector);
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
	GsPrivateTable table;
	double		pairs;
	int64		charged;

	gs_private_table(schema, &table);
	pairs = table.ncolumns > 1 ? rho * (1 - COLUMNS_SHARE) : 0;
	/* decided by the schema, like all that is not counted */
	version->constraints = gs_constraints_decide(gs_constraints_read(source->relid),
												 request->options->constraints,
												 NIL, schema);
	gs_private_split(table.ncolumns, gs_private_columns(&table), rho - pairs);
	check_rights(source);
	charged = charge_table(request, source, &table, rho, pairs);
	gs_fit_note(context, "differentially private: epsilon %g, delta %g (rho %.4g of zero-concentrated privacy), for one row added or removed",
				request->epsilon, request->delta, rho);
	count_table(&table, source, pairs, &context->notes);
	gs_private_shares(schema, &table);
	context->schema = version->schema = schema;
	fit_family(request->family, context, &table);
	version->rows = (int64) table.rows;
	version->epsilon = request->epsilon;
	version->delta = request->delta;
	return charged;
}
