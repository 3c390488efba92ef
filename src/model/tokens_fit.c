/*
 * tokens_fit.c
 *	  Features as tokens: which values share one, and the rows of a source.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/tokens.h"

/* Tokens of a feature, of each kind, and what they are in wide tables. */
#define MAX_LEVELS		192		/* levels that are alone */
#define MAX_GROUPS		64		/* of the other levels */
#define MAX_ATOMS		128		/* atoms that are alone */
#define MAX_BINS		56		/* of the other segments, without the tails */
#define TABLE_TOKENS	12288
#define MIN_TOKENS	16

#define TOKEN_ROWS		16		/* that an atom or a bin needs ... */
#define TOKEN_SHARE		2048	/* ... or rows over this, whichever is more */
#define TAIL			3		/* a bin holds this part of what is beyond */

/* A feature's values while they are put together. */
typedef struct Values
{
	const GsFeature *feature;
	int			n;
	int64	   *count;			/* [n] rows */
	int64		rows;
	int		   *order;			/* [n] by count, falling */
} Values;

static int
by_count(const void *a, const void *b, void *arg)
{
	const int64 *count = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (count[x] != count[y])
		return count[x] > count[y] ? -1 : 1;
	return x - y;
}

static void
count_values(Values *values, const uint16 *value, int64 nrows)
{
	values->count = palloc0(sizeof(int64) * values->n);
	values->order = palloc(sizeof(int) * values->n);
	values->rows = 0;
	for (int64 row = 0; row < nrows; row++)
		if (value[row] != GS_MISSING)
		{
			values->count[value[row]]++;
			values->rows++;
		}
	for (int v = 0; v < values->n; v++)
		values->order[v] = v;
	qsort_arg(values->order, values->n, sizeof(int), by_count,
			  values->count);
}

/*
 * Levels: the frequent ones alone, the others in groups of neighbours by
 * frequency.  Those without any rows join the first token, which never
 * gives them.  Returns the number of tokens.
 */
static int
group_levels(const Values *values, int share, uint16 *token)
{
	int			max = Min(MAX_LEVELS, 3 * share);
	int			ngroups = Min(MAX_GROUPS, share);
	int64		rest = 0;
	int64		open = 0;		/* rows of the open group */
	int			n = 0;

	if (values->n > max + ngroups)
		for (int i = max; i < values->n; i++)
			rest += values->count[values->order[i]];
	else
		max = values->n;
	for (int i = 0; i < values->n; i++)
	{
		int			level = values->order[i];

		if (values->count[level] == 0 && n > 0)
		{
			token[level] = 0;
			continue;
		}
		if (i < max || open == 0 || open >= rest / ngroups)
		{
			n++;
			open = 0;
		}
		open += values->count[level];
		token[level] = (uint16) (n - 1);
	}
	return n;
}

static bool
is_atom(const GsFeature *feature, int s)
{
	return gs_scalar_compare(feature->quantile.low[s],
							 feature->quantile.high[s], feature->lane) == 0;
}

/*
 * Segments: frequent atoms alone, the others in bins of neighbours, finer
 * towards both ends, where a heavy tail bends most.  Returns the number of
 * tokens, which are in the order of their first values.
 */
static int
group_segments(const Values *values, int share, uint16 *token)
{
	int64		min = Max(TOKEN_ROWS, values->rows / TOKEN_SHARE);
	int			max = Min(MAX_ATOMS, 2 * share);
	bool	   *alone = palloc0(values->n);
	int64		rest = values->rows;
	int64		before = 0;		/* rows of the rest before the open bin */
	int64		open = 0;
	int			bin = -1;
	int			n = 0;

	for (int i = 0; i < values->n && max > 0; i++)
	{
		int			s = values->order[i];

		if (values->count[s] < min || !is_atom(values->feature, s))
			continue;
		alone[s] = true;
		rest -= values->count[s];
		max--;
	}
	for (int s = 0; s < values->n; s++)
	{
		int64		tail = Min(before, rest - before) / TAIL;

		if (alone[s])
		{
			token[s] = (uint16) n++;
			continue;
		}
		if (bin < 0 || open >= Max(Min(rest / Min(MAX_BINS, share), tail),
								   min))
		{
			before += open;
			open = 0;
			bin = n++;
		}
		open += values->count[s];
		token[s] = (uint16) bin;
	}
	pfree(alone);
	return n;
}

static void
learn_position(GsTokens *tokens, const GsSchema *schema,
			   const GsEncoded *encoded, int f)
{
	int			share = Max(TABLE_TOKENS / Max(schema->nfeatures, 1),
							MIN_TOKENS);
	GsTokenPosition *position = gs_tokens_add(tokens, schema, f);
	Values		values = {.feature = &schema->features[f],
	.n = position->nvalues};

	CHECK_FOR_INTERRUPTS();
	count_values(&values, position->number ? encoded->segment[f] :
				 encoded->bin[f], encoded->nrows);
	position->ntokens = (position->number ? group_segments : group_levels)
		(&values, share, position->token);
	gs_tokens_position(position, values.feature);
	tokens->ntokens += position->ntokens;
	pfree(values.count);
	pfree(values.order);
}

/*
 * gs_tokens_learn: the tokens of a table.  Can be cancelled.
 *
 * Indicators have a position even if something determines them, since what
 * comes after has to know, and come before all else of their columns.
 */
GsTokens *
gs_tokens_learn(const GsSchema *schema, const GsEncoded *encoded)
{
	GsTokens   *tokens = gs_tokens_create(schema);

	for (int f = 0; f < schema->nfeatures; f++)
	{
		int			null = schema->columns[schema->features[f].column].null_feature;

		if (null >= 0 && tokens->position_of[null] < 0)
			learn_position(tokens, schema, encoded, null);
		if (!encoded->determined[f] && tokens->position_of[f] < 0)
			learn_position(tokens, schema, encoded, f);
	}
	return tokens;
}

/*
 * gs_tokens_save: appends the tensors of tokens, see tokens.c.
 */
void
gs_tokens_save(const GsTokens *tokens, List **tensors)
{
	int32	   *feature = palloc(sizeof(int32) * Max(tokens->npositions, 1));
	int64		nvalues = 0;
	int32	   *token;
	int64		at = 0;

	for (int p = 0; p < tokens->npositions; p++)
	{
		feature[p] = tokens->position[p].feature;
		nvalues += tokens->position[p].nvalues;
	}
	token = palloc(sizeof(int32) * Max(nvalues, 1));
	for (int p = 0; p < tokens->npositions; p++)
		for (int v = 0; v < tokens->position[p].nvalues; v++)
			token[at++] = tokens->position[p].token[v];
	gs_tensor_add(tensors, "tokens/position", GS_I4, 1, tokens->npositions, 0,
				  feature);
	gs_tensor_add(tensors, "tokens/token", GS_I4, 1, nvalues, 0, token);
}

/*
 * gs_tokens_read: the tokens of rows of the source.
 *
 * row: [n]; token: [n][npositions], filled; -1 where a row tells nothing.
 */
void
gs_tokens_read(const GsTokens *tokens, const GsEncoded *encoded,
			   const uint32 *row, int n, int32 *token)
{
	for (int p = 0; p < tokens->npositions; p++)
	{
		const GsTokenPosition *position = &tokens->position[p];
		const uint16 *value = position->number ?
			encoded->segment[position->feature] : encoded->bin[position->feature];

		for (int i = 0; i < n; i++)
		{
			uint16		v = value[row[i]];

			token[(Size) i * tokens->npositions + p] = v == GS_MISSING ? -1 :
				position->token[v];
		}
	}
}

/*
 * gs_tokens_read_scores: the normal scores of rows of the source in their
 * numbers.
 *
 * row: [n]; score: [n][nnumbers], filled; 0 where a row tells nothing.
 */
void
gs_tokens_read_scores(const GsTokens *tokens, const GsEncoded *encoded,
					  const uint32 *row, int n, float *score)
{
	int			at = 0;

	for (int p = 0; p < tokens->npositions; p++)
	{
		const GsTokenPosition *position = &tokens->position[p];
		const uint16 *segment = encoded->segment[position->feature];
		const uint16 *within = encoded->within[position->feature];

		if (!position->number)
			continue;
		for (int i = 0; i < n; i++)
		{
			uint16		s = segment[row[i]];
			uint16		part = within[row[i]];

			score[(Size) i * tokens->nnumbers + at] = s == GS_MISSING ? 0 :
				position->base[s] + position->span[s] * (part / 65535.0f);
		}
		at++;
	}
}
