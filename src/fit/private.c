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
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/ledger.h"
#include "constraint/decide.h"
#include "fit/learnable.h"
#include "fit/private.h"
#include "model/dependency.h"
#include "privacy/account.h"
#include "worker/progress.h"

/* Of the budget, for columns by themselves; the rest is for pairs. */
#define COLUMNS_SHARE	0.4
/* Of what pairs get, for choosing among those of many columns. */
#define CHOICE_SHARE	0.1
/*
 * Of the budget: for the ends of each number that lacks them, of all, and at
 * most where that is asked for.
 */
#define ENDS_SHARE		0.005
#define DOMAINS_SHARE	0.1
/* Of delta, for the values of all texts that lack them. */
#define TEXTS_DELTA		0.1
/* Rows of unknown values for each of known ones that these stand for. */
#define MAX_FACTOR		100
/* A column of so many tells well enough how many rows there are. */
#define FEW_CELLS		8
/* How many these are reckoned to be. */
#define PLANNED_LEVELS	200

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
		if ((public[c].kind != GS_PUBLIC_NOTHING &&
			 public[c].kind != GS_PUBLIC_NUMBER &&
			 public[c].kind != GS_PUBLIC_TEXT) ||
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

/* A private fit on its way. */
typedef struct Private
{
	const GsPrivateRequest *request;
	GsSource   *source;
	Oid			relid;			/* the table that it shows rows of */
	char	   *unit;			/* its column that says whose they are, or NULL */
	GsSource   *reader;			/* the same, or so many rows of each unit */
	int			ncolumns;
	GsColumn   *columns;
	GsPublic   *public;			/* [ncolumns] */
	bool	   *open;			/* [ncolumns] whose cells are to be found */
	int			unit_rows;		/* that count of a unit */

	/* how the budget is split: what each costs in rho */
	double		rho;			/* in all */
	int			nnumbers;		/* whose ends are to be found ... */
	GsPrivateVector ends;		/* ... each with this noise */
	int			ntexts;			/* whose values are, each with ... */
	double		told;			/* ... this delta */
	double		choice;			/* of pairs */
	double		pairs;
	bool		rows;			/* all are counted besides columns */
	GsPrivateTable plan;		/* of columns, before their cells are known */
	GsPrivateTable table;
} Private;

/*
 * Finds the column that says whose a row is, which is taken to be a key: the
 * model knows nothing of who has which rows.
 */
static void
mark_unit(Private *private)
{
	const char *unit = private->request->options->privacy_unit;

	for (int c = 0; unit != NULL && c < private->ncolumns; c++)
	{
		GsColumn   *column = &private->columns[c];

		if (strcmp(column->name, unit) != 0)
			continue;
		if (column->codec.type == FLOAT4OID ||
			column->codec.type == FLOAT8OID)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"privacy_unit\" names column \"%s\" of type %s",
							unit, format_type_be(column->declared)),
					 errhint("Name a column that identifies persons, such as a whole number or a text.")));
		private->unit = get_attname(private->relid,
									gs_private_column_of(private->source, c),
									true);
		if (private->unit == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"privacy_unit\" names column \"%s\", which is computed",
							unit),
					 errhint("Name a column of the table that is learned as it stands there.")));
		column->unique = column->one_null = true;
		return;
	}
	if (unit != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of option \"privacy_unit\" is not learned",
						unit),
				 errhint("Name a column of the source that is not excluded.")));
}

/*
 * What is read: with a unit, so many of its rows as count, those that come
 * first by a keyed hash of where they are, the same in every pass; rows of
 * nobody are left out.  Which rows of a unit are read depends on these alone.
 */
static void
open_reader(Private *private)
{
	const char *unit = private->request->options->privacy_unit;
	const GsSource *source = private->source;
	StringInfoData names;
	const char *order;
	const char *hash;
	int64		key;

	private->reader = private->source;
	if (unit == NULL)
		return;
	if (!pg_strong_random(&key, sizeof(key)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values"),
				 errhint("Nothing was read.")));
	/* tests that hand noise in choose the same rows each time */
	if (gs_release_hook != NULL)
		key = 0;
	initStringInfo(&names);
	for (int c = 0; c < private->ncolumns; c++)
		appendStringInfo(&names, "%s%s", c > 0 ? ", " : "",
						 quote_identifier(private->columns[c].name));
	unit = quote_identifier(unit);
	/* rows of a view are told apart by what they hold */
	order = source->relid == private->relid ? "ctid, tableoid" :
		psprintf("ROW(%s)::pg_catalog.text", names.data);
	hash = source->relid == private->relid ? "hashtidextended(ctid" :
		psprintf("hashtextextended(%s", order);
	private->reader = gs_source_open(psprintf("SELECT %s FROM (SELECT %s, pg_catalog.row_number()"
											  " OVER (PARTITION BY %s ORDER BY pg_catalog.%s, "
											  INT64_FORMAT "::pg_catalog.int8), %s)"
											  " AS \"row of its unit\" FROM %s) AS source"
											  " WHERE \"row of its unit\" " GS_OP("<=") " %d"
											  " AND %s IS NOT NULL",
											  names.data, names.data, unit,
											  hash, key, order,
											  source->relid == private->relid ?
											  source->relation :
											  psprintf("(%s) AS source",
													   source->query),
											  private->unit_rows, unit),
									 NIL, NIL);
}

/*
 * What is known of the source's columns without a row.
 */
static void
read_public(Private *private, List **notes)
{
	for (;;)
	{
		GsSource   *source = private->source;
		int			n = source->desc->natts;

		private->ncolumns = n;
		private->columns = palloc(sizeof(GsColumn) * n);
		for (int c = 0; c < n; c++)
			gs_learnable_column(source, c, &private->columns[c]);
		mark_unit(private);
		private->public = gs_public_read(source, private->relid,
										 private->request->options,
										 private->columns);
		private->source = leave_out_generated(source, private->columns,
											  private->public, n, notes);
		if (private->source == source)
			break;
	}
	gs_public_check(private->columns, private->public, private->ncolumns);
	for (int c = 0; c < private->ncolumns; c++)
	{
		private->nnumbers += private->public[c].kind == GS_PUBLIC_NUMBER;
		private->ntexts += private->public[c].kind == GS_PUBLIC_TEXT;
	}
}

/*
 * What CHECK constraints say of the order of columns.
 */
static void
read_orders(Private *private, List *constraints)
{
	GsSchema	schema = {
		.ncolumns = private->ncolumns,.nall = private->ncolumns,
		.columns = private->columns
	};

	if (!private->request->options->differences)
		return;
	gs_constraints_mark(constraints, private->request->options->constraints,
						NIL, &schema);
	gs_private_orders_read(private->source, private->relid, private->columns);
}

/*
 * Columns as if they had the cells that are reckoned with: a number its most,
 * a text some.
 */
static GsSchema *
plan_schema(Private *private, GsPublic *public)
{
	static GsScalar ends[] = {{.i = 0}, {.i = GS_PRIVATE_CELLS - 1}};
	int			n = private->ncolumns;
	GsColumn   *columns = palloc(sizeof(GsColumn) * n);

	/* layouts are settled when all ends are known */
	memcpy(columns, private->columns, sizeof(GsColumn) * n);
	for (int c = 0; c < n; c++)
	{
		public[c] = private->public[c];
		if (columns[c].layout == NULL)
			continue;
		columns[c].layout = palloc(sizeof(GsLayout));
		*columns[c].layout = *private->columns[c].layout;
	}
	gs_private_orders_settle(columns, n, public);
	private->open = palloc(sizeof(bool) * n);
	for (int c = 0; c < n; c++)
	{
		private->open[c] = public[c].kind == GS_PUBLIC_NUMBER ||
			public[c].kind == GS_PUBLIC_TEXT;
		if (public[c].kind == GS_PUBLIC_NUMBER)
		{
			public[c].kind = GS_PUBLIC_BOUNDS;
			public[c].lane = GS_LANE_INT;
			public[c].level = ends;
		}
		else if (public[c].kind == GS_PUBLIC_TEXT)
		{
			public[c].kind = GS_PUBLIC_LEVELS;
			public[c].lane = GS_LANE_INT;
			public[c].nlevels = PLANNED_LEVELS;
			public[c].level = palloc0(sizeof(GsScalar) * PLANNED_LEVELS);
			public[c].text = palloc0(sizeof(char *) * PLANNED_LEVELS);
		}
	}
	return gs_private_schema(columns, n, public);
}

/*
 * The column that others are to predict; -1: none is named.
 */
static int
target_of(const Private *private, const GsPrivateTable *table)
{
	const char *name = private->request->options->target;

	for (int i = 0; name != NULL && i < table->ncolumns; i++)
	{
		int			f = table->column[i].feature;
		int			c = f < 0 ? -1 : table->schema->features[f].column;

		if (c >= 0 && strcmp(table->schema->columns[c].name, name) == 0)
			return i;
	}
	return -1;
}

/*
 * As gs_private_split; an error where that cannot be.
 */
static void
split_budget(int n, GsPrivateVector *const *vectors, double rho,
			 int unit_rows)
{
	if (!gs_private_split(n, vectors, rho, unit_rows))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("epsilon is out of range for %d counts", n),
				 errhint("Noise of a standard deviation from 0.006 to a million can be drawn.")));
}

/*
 * Splits the budget over all that is going to be asked.
 */
static void
plan_questions(Private *private)
{
	const GsPrivateRequest *request = private->request;
	GsPublic   *public = palloc(sizeof(GsPublic) * private->ncolumns);
	double		delta = request->delta;
	double		domains = 0;
	GsPrivateVector *ends = &private->ends;
	GsPrivateVector **vectors;
	GsSchema   *schema;
	int			n;

	if (private->ntexts > 0)
	{
		private->told = delta * TEXTS_DELTA / private->ntexts;
		delta *= 1 - TEXTS_DELTA;
	}
	private->rho = gs_privacy_rho(request->epsilon, delta);
	if (private->nnumbers > 0)
	{
		domains = private->rho * (request->options->domain_share > 0 ?
								  request->options->domain_share :
								  Min(DOMAINS_SHARE,
									  ENDS_SHARE * private->nnumbers));
		ends->ncells = private->nnumbers;
		split_budget(1, &ends, domains / private->nnumbers,
					 private->unit_rows);
	}
	schema = plan_schema(private, public);
	gs_private_table(schema, public, false, &private->plan);
	if (request->options->target != NULL &&
		target_of(private, &private->plan) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of option \"target\" is not learned",
						request->options->target),
				 errhint("Name a column of the source that is not excluded, nor a key.")));
	private->rows = true;
	for (int i = 0; i < private->plan.ncolumns; i++)
		private->rows &= !private->plan.column[i].whole ||
			private->plan.column[i].vector.ncells > FEW_CELLS;
	gs_private_table(schema, public, private->rows, &private->plan);
	if (private->rows)
		private->plan.column[private->plan.ncolumns - 1].vector.ncells =
			FEW_CELLS;
	private->pairs = private->plan.ncolumns > 1 &&
		request->options->pairs != 0 ?
		(private->rho - domains) * (1 - COLUMNS_SHARE) : 0;
	vectors = gs_private_columns(&private->plan, &n);
	split_budget(n, vectors, private->rho - domains - private->pairs,
				 private->unit_rows);
	if (private->plan.ncolumns - private->rows > GS_PRIVATE_FEW)
	{
		private->choice = private->pairs * CHOICE_SHARE;
		private->pairs -= private->choice;
	}
}

static const char *
cells_name(const GsSchema *schema, const GsPrivateCells *cells)
{
	const GsFeature *feature;
	const GsColumn *column;

	if (cells->feature < 0)
		return "rows";
	feature = &schema->features[cells->feature];
	column = &schema->columns[feature->column];
	if (gs_column_has_base(column))
		return psprintf("rows by what %s adds to %s",
						quote_identifier(column->name),
						quote_identifier(schema->columns[column->layout->base[0]].name));
	return psprintf(feature->part < 0 ? "rows by whether %s is null" :
					"rows by %s",
					quote_identifier(column->name));
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

static void
add_step(GsLedgerStep *steps, int *n, const char *query, int64 cells,
		 const GsPrivateVector *vector, double delta)
{
	steps[(*n)++] = (GsLedgerStep)
	{
		query, cells, vector->sigma, vector->rho, delta
	};
}

/*
 * A step of pairs, which are not known yet: as noisy as if they were one
 * vector.
 */
static void
add_pairs(GsLedgerStep *steps, int *n, const char *query, double rho,
		  int unit_rows)
{
	GsPrivateVector pairs = {.rho = rho};

	if (rho == 0)
		return;
	pairs.sigma = unit_rows / sqrt(2 * rho);
	add_step(steps, n, query, 0, &pairs, 0);
}

/*
 * Charges the table for what is going to be asked; returns the row of the
 * ledger.  Nothing takes it back.  Cells that are yet to be found are 0.
 */
static int64
charge_table(const Private *private)
{
	const GsPrivateRequest *request = private->request;
	const GsPrivateTable *plan = &private->plan;
	int			n = 0;
	GsLedgerStep *steps = palloc0(sizeof(GsLedgerStep) *
								  (private->ncolumns + 2 * plan->ncolumns +
								   2));

	for (int c = 0; c < private->ncolumns; c++)
		if (private->public[c].kind == GS_PUBLIC_NUMBER)
			add_step(steps, &n, psprintf("ends of %s",
										 quote_identifier(private->columns[c].name)),
					 gs_domain_cells(&private->columns[c]), &private->ends,
					 0);
	for (int i = 0; i < plan->ncolumns; i++)
	{
		const GsPrivateCells *cells = &plan->column[i];
		int			c = cells->feature < 0 ? -1 :
			plan->schema->features[cells->feature].column;
		bool		text = c >= 0 &&
			private->public[c].kind == GS_PUBLIC_TEXT;
		bool		found = c >= 0 && private->open[c];

		add_step(steps, &n, cells_name(plan->schema, cells),
				 found ? 0 : cells->vector.ncells, &cells->vector,
				 text ? private->told : 0);
		if (cells->blocks.ncells > 0)
			add_step(steps, &n, psprintf("%s in blocks",
										 cells_name(plan->schema, cells)),
					 found ? 0 : cells->blocks.ncells, &cells->blocks, 0);
	}
	add_pairs(steps, &n, "distances of pairs of columns from independence",
			  private->choice, private->unit_rows);
	add_pairs(steps, &n, "rows by pairs of columns", private->pairs,
			  private->unit_rows);
	return gs_ledger_debit(private->relid, request->model,
						   request->family->name, request->epsilon,
						   request->delta, private->rho, steps, n,
						   private->unit);
}

/*
 * The number of rows that columns together say, each with the weight that its
 * noise leaves it, if all rows are in their cells; 0 at least.
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

		if (!table->column[i].whole)
			continue;
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
 * What a column's counts are taken times, for them to sum to all rows: those
 * whose values are not known are taken to be like the others.
 */
static double
known_factor(const GsPrivateTable *table, int column)
{
	const GsPrivateCells *cells = &table->column[column];
	const GsPrivateVector *vector = &cells->vector;
	double		known = 0;

	for (int k = 0; k < vector->ncells; k++)
		known += vector->count[k];
	if (cells->whole || table->rows - known <
		4 * vector->sigma * sqrt(vector->ncells))
		return 1;
	return Min(table->rows / Max(known, 1), MAX_FACTOR);
}

/*
 * A vector for the family, its counts times a factor.
 */
static GsMarginal
marginal_of(const GsPrivateVector *vector, int first, int second,
			double factor)
{
	int64_t    *count = palloc_extended(sizeof(int64_t) * vector->ncells,
										MCXT_ALLOC_HUGE);

	for (int k = 0; k < vector->ncells; k++)
		count[k] = (int64_t) rint(vector->count[k] * factor);
	return (GsMarginal)
	{
		.first = first,.second = second,.sigma = vector->sigma * factor,
			.count = count
	};
}

/*
 * The family's own work, from noisy counts alone.
 */
static void
fit_family(const GsFamily *family, GsFitContext *context,
		   const GsPrivateTable *table)
{
	int			n = table->ncolumns -
		(table->column[table->ncolumns - 1].feature < 0);
	int		   *ncells = palloc(sizeof(int) * (n + 1));
	bool	   *ordered = palloc(sizeof(bool) * (n + 1));
	bool	   *nullable = palloc(sizeof(bool) * (n + 1));
	int		   *nbins = palloc(sizeof(int) * (n + 1));
	double	   *factor = palloc(sizeof(double) * (n + 1));
	const int32_t **bin = palloc(sizeof(int32_t *) * (n + 1));
	GsMarginal *marginals = palloc(sizeof(GsMarginal) *
								   (n + table->npairs + 1));
	GsNoisyTable noisy = {
		.ncolumns = n,.ncells = ncells,.ordered = ordered,
		.nullable = nullable,.rows = table->rows,
		.nmarginals = n + table->npairs,.marginals = marginals,
		.nbins = table->npairs > 0 ? nbins : NULL,.bin = bin,
		.target = table->npairs > 0 ? table->target + 1 : 0
	};

	for (int i = 0; i < n; i++)
	{
		const GsPrivateCells *cells = &table->column[i];

		ncells[i] = cells->vector.ncells;
		ordered[i] = cells->ordered;
		nullable[i] = cells->null_cell >= 0;
		nbins[i] = cells->nbins;
		bin[i] = cells->bin;
		factor[i] = known_factor(table, i);
		marginals[i] = marginal_of(&cells->vector, i, -1, factor[i]);
		if (cells->blocks.ncells > 0)
		{
			marginals[i].block = GS_PRIVATE_BLOCK;
			marginals[i].block_sigma = cells->blocks.sigma * factor[i];
		}
	}
	for (int p = 0; p < table->npairs; p++)
	{
		const GsPrivatePair *pair = &table->pair[p];

		marginals[n + p] = marginal_of(&pair->vector, pair->first,
									   pair->second, factor[pair->first] *
									   factor[pair->second] *
									   (table->target < 0 ? 1 :
										factor[table->target]));
	}
	/* no structure is looked for */
	gs_dependency_save(NULL, 0, &context->tensors);
	context->key = key_of(table);
	if (family->fit_counts != NULL)
		family->fit_counts(context, &noisy);
	else
		gs_private_rows_fit(family, context, &noisy);
}

/*
 * Finds the values of columns that nobody has declared.
 */
static void
find_values(Private *private)
{
	GsPrivateText *asked = palloc(sizeof(GsPrivateText) *
								  (private->ntexts + 1));
	int			n = 0;

	gs_domain_ends(private->reader, private->columns, private->ncolumns,
				   private->public, &private->ends);
	for (int i = 0; i < private->plan.ncolumns; i++)
	{
		const GsPrivateCells *cells = &private->plan.column[i];
		int			c = cells->feature < 0 ? -1 :
			private->plan.schema->features[cells->feature].column;

		if (c >= 0 && private->public[c].kind == GS_PUBLIC_TEXT)
			asked[n++] = (GsPrivateText)
		{
			&private->columns[c], &private->public[c], &cells->vector
		};
	}
	gs_domain_texts(private->reader, asked, n, private->told,
					private->unit_rows);
}

/*
 * The passes over the rows, after each of which noise is added.
 */
static GsSchema *
count_table(Private *private, List **notes)
{
	GsPrivateTable *table = &private->table;
	GsSchema   *schema;

	gs_progress_phase(GS_PHASE_READING, 0, -1);
	find_values(private);
	gs_private_orders_settle(private->columns, private->ncolumns, private->public);
	schema = gs_private_schema(private->columns, private->ncolumns,
							   private->public);
	gs_private_table(schema, private->public, private->rows, table);
	gs_private_noise(table, &private->plan);
	gs_private_count(table, private->reader);
	for (int i = 0; i < table->ncolumns; i++)
	{
		GsPrivateCells *cells = &table->column[i];

		if (!cells->released)
			gs_release(&cells->vector);
		if (cells->blocks.ncells > 0)
		{
			gs_release(&cells->blocks);
			gs_private_agree(cells);
		}
	}
	table->rows = noisy_rows(table);
	table->target = target_of(private, table);
	if (private->pairs > 0)
	{
		gs_private_bins(table, private->pairs, private->choice,
						private->unit_rows, notes);
		if (private->choice > 0)
			gs_private_choose(table, private->reader, private->choice,
							  private->pairs, private->unit_rows, notes);
		gs_private_split_pairs(table, private->pairs, private->unit_rows,
							   notes);
	}
	if (table->npairs > 0)
		gs_private_count_pairs(table, private->reader);
	for (int p = 0; p < table->npairs; p++)
		gs_release(&table->pair[p].vector);
	gs_private_shares(schema, table);
	return schema;
}

/*
 * What the budget went to, for the user.
 */
static void
note_budget(const Private *private, GsFitContext *context)
{
	const GsPrivateRequest *request = private->request;
	const char *unit = request->options->privacy_unit;

	gs_fit_note(context, "differentially private: epsilon %g, delta %g (rho %.4g of zero-concentrated privacy), for one %s added or removed",
				request->epsilon, request->delta, private->rho,
				unit != NULL ? psprintf("value of \"%s\" with all its rows",
										unit) : "row");
	if (unit != NULL)
		gs_fit_note(context, "of each value of \"%s\", %d %s counted", unit,
					private->unit_rows,
					private->unit_rows == 1 ? "row is" : "rows at most are");
	if (private->nnumbers > 0)
		gs_fit_note(context, "%.2g %% of the budget went to the ends of %d columns that were not declared",
					100 * private->ends.rho * private->nnumbers / private->rho,
					private->nnumbers);
	if (private->ntexts > 0)
		gs_fit_note(context, "%g %% of delta went to the values of %d columns that were not declared",
					100 * TEXTS_DELTA, private->ntexts);
}

/*
 * gs_private_learn: learns a table with differential privacy; the context gets
 * schema, tensors and notes, the version what else is known of it.
 *
 * request, source: that gs_private_check lets pass.  Returns the row of the
 * ledger that it was charged to.  Errors: those of the options and of the
 * ledger, before a row is read; invalid_parameter_value where noisy counts
 * leave nothing of a column.
 */
int64
gs_private_learn(const GsPrivateRequest *request, GsSource *source,
				 GsFitContext *context, GsVersionEntry *version)
{
	Private		private = {.request = request,.source = source,
	.relid = gs_private_table_of(source, request->options->public.names),
	.unit_rows = 1};
	int64		charged;
	List	   *constraints = source->relid == private.relid ?
		gs_constraints_read(source->relid) : NIL;

	if (request->options->privacy_unit != NULL)
		private.unit_rows = (int) request->options->max_rows_per_unit;
	read_public(&private, &version->notes);
	read_orders(&private, constraints);
	plan_questions(&private);
	/* decided by the schema, like all that is not counted */
	version->constraints =
		gs_constraints_decide(constraints, request->options->constraints, NIL,
							  private.plan.schema);
	open_reader(&private);
	check_rights(private.reader);
	charged = charge_table(&private);
	note_budget(&private, context);
	context->schema = version->schema = count_table(&private,
													&context->notes);
	fit_family(request->family, context, &private.table);
	version->rows = (int64) private.table.rows;
	version->epsilon = request->epsilon;
	version->delta = request->delta;
	return charged;
}
