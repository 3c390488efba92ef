/*
 * test_gan_watch.c
 *	  What a generator is watched by, on rows made by hand: distances of
 *	  marginals and pairs, coverage, variety, clusters; and the conditions that
 *	  it is trained under.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nets/gan_conditions.h"
#include "../../src/nets/gan_watch.h"
#include "test.h"

#define ROWS	4000
#define POSITIONS	4
#define TOKENS	14

static const int offset[] = {0, 2, 4, 8, 14};
static const uint8_t group[TOKENS] = {
	0, 1, 0, 1, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5
};

typedef struct Watched
{
	GsWatch		watch;
	double		share[TOKENS];
	double		joint[7 * GS_WATCH_CELLS];
	double		scratch[TOKENS + 7 * GS_WATCH_CELLS];
	uint8_t		centre[GS_WATCH_CLUSTERS * POSITIONS];
	double		cluster[GS_WATCH_CLUSTERS];
	uint8_t		row[POSITIONS];
	uint32_t	votes[GS_WATCH_CLUSTERS * POSITIONS * (GS_WATCH_GROUPS + 1)];
} Watched;

/* What is wrong with rows. */
typedef enum Fault
{
	NOTHING,
	APART,						/* places don't go together any more */
	TILTED,						/* place 0 has token 0 more often */
	NARROW,						/* token 0 of place 2 only */
	SAME,						/* all rows are one */
	HALF						/* none of one kind of rows */
} Fault;

/*
 * Two kinds of rows, told by place 0, in which place 3 is low or high; place 2
 * is missing in a tenth.
 */
static void
make_rows(int32_t *token, uint64_t seed, Fault fault)
{
	for (int i = 0; i < ROWS; i++, token += POSITIONS)
	{
		GsRandom	random;
		int			kind;

		gs_random_start(&random, fault == SAME ? 1 : seed,
						fault == SAME ? 0 : (uint64_t) i, 0);
		kind = fault == HALF ? 1 : (int) gs_random_below(&random, 2);
		token[0] = kind;
		token[1] = (int32_t) gs_random_below(&random, 2);
		token[2] = gs_random_below(&random, 10) == 0 ? -1 :
			(int32_t) gs_random_below(&random, 4);
		token[3] = (int32_t) gs_random_below(&random, 3) + 3 * kind;
		if (fault == APART)
			token[3] = (int32_t) gs_random_below(&random, 6);
		if (fault == TILTED && gs_random_below(&random, 5) == 0)
			token[0] = 0;
		if (fault == NARROW)
			token[2] = 0;
	}
}

static GsWatchFigures
measure(Watched *w, uint64_t seed, Fault fault)
{
	static int32_t token[ROWS * POSITIONS];
	GsWatchFigures figures;

	make_rows(token, seed, fault);
	figures = gs_watch_measure(&w->watch, token, ROWS);
	printf("# %d: places %.3f, pairs %.3f, coverage %.3f, variety %.3f, clusters %.3f\n",
		   (int) fault, figures.positions, figures.pairs, figures.coverage,
		   figures.variety, figures.clusters);
	return figures;
}

static void
test_watch(void)
{
	static Watched w;
	static int32_t token[ROWS * POSITIONS];
	GsWatchFigures good;
	GsWatchFigures bad;

	w.watch = (GsWatch) {
		.npositions = POSITIONS,.offset = offset,.group = group,
		.npairs = gs_watch_pairs(POSITIONS),.share = w.share,.joint = w.joint,
		.scratch = w.scratch,.centre = w.centre,.cluster = w.cluster,
		.row = w.row,.votes = w.votes
	};
	CHECK(w.watch.npairs == 6, "all pairs of a narrow table");
	make_rows(token, 1, NOTHING);
	gs_watch_learn(&w.watch, token, ROWS);
	good = gs_watch_measure(&w.watch, token, ROWS);
	CHECK(good.positions < 1e-9 && good.pairs < 1e-9 && good.coverage == 1 &&
		  good.variety > 1 - 1e-9 && good.clusters == 1,
		  "the table itself is perfect");
	good = measure(&w, 2, NOTHING);
	CHECK(good.positions < 0.02 && good.pairs < 0.05 && good.coverage == 1 &&
		  good.variety > 0.99 && good.clusters > 0.95,
		  "other rows of its kind nearly are");

	bad = measure(&w, 2, APART);
	CHECK(bad.positions < 0.02 && bad.pairs > good.pairs + 0.05,
		  "what goes together no more shows in pairs");
	bad = measure(&w, 2, TILTED);
	CHECK_NEAR(bad.positions, 0.1 / 4, 0.01, "a fifth of half, in one of 4");
	CHECK(bad.coverage == 1, "where all tokens appear");
	bad = measure(&w, 2, NARROW);
	CHECK_NEAR(bad.coverage, 11.0 / 14, 1e-9, "tokens that don't appear");
	bad = measure(&w, 1, SAME);
	CHECK(bad.coverage < 0.3 && bad.variety == 0 && bad.clusters < 0.1,
		  "one row only is a collapse");
	bad = measure(&w, 2, HALF);
	CHECK(bad.clusters < 0.6 && bad.clusters > 0.3 && bad.variety > 0.7,
		  "half of the clusters may go where places still vary");
}

static void
test_conditions(void)
{
	static int32_t token[ROWS * POSITIONS];
	static uint32_t row[ROWS];
	static uint32_t begin[TOKENS + 1];
	static uint32_t rows[ROWS * POSITIONS];
	float		probability[TOKENS];
	int			position[POSITIONS];
	GsConditions c = {.npositions = POSITIONS,.offset = offset,.nrows = ROWS,
	.begin =
		begin,.row = rows,.probability = probability,.position = position};
	int			times[TOKENS] = {0};
	int			wrong = 0;
	uint32_t	at = 99;
	GsRandom	random;
	const int	n = 40000;

	/* place 0: all the same; place 1: token 1 in one row of 500 */
	make_rows(token, 1, NOTHING);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		row[i] = 7 * i;
		token[i * POSITIONS] = 1;
		token[i * POSITIONS + 1] = i % 500 == 0;
	}
	gs_conditions_learn(&c, row, token);
	CHECK(c.nvaried == 3, "what doesn't vary is no condition");
	gs_random_start(&random, 3, 0, 0);
	for (int i = 0; i < n; i++)
	{
		int32_t		t = gs_conditions_draw(&c, &random, &at);
		int			p = 0;

		while (t >= offset[p + 1])
			p++;
		times[t]++;
		wrong += at % 7 != 0 || at / 7 >= ROWS ||
			token[at / 7 * POSITIONS + p] != t - offset[p];
	}
	CHECK(wrong == 0, "rows have what they are drawn for");
	CHECK(times[0] + times[1] == 0, "no condition on what doesn't vary");
	CHECK_NEAR((times[2] + times[3]) / (double) n, 1.0 / 3, 0.01,
			   "places are all as likely");
	CHECK_NEAR(times[3] / (double) (times[2] + times[3]),
			   log(9) / (log(9) + log(ROWS - 7)), 0.015,
			   "tokens are by the logarithm of their number");

	for (int i = 0; i < ROWS * POSITIONS; i++)
		token[i] = 0;
	gs_conditions_learn(&c, row, token);
	at = 99;
	CHECK(gs_conditions_draw(&c, &random, &at) == -1 && at == 99,
		  "nothing varies: no condition");
}

int
main(void)
{
	test_watch();
	test_conditions();
	return test_done();
}
