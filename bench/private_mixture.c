/*
 * private_mixture.c
 *	  The private model without a server: counts of a CSV of codes in exact
 *	  noise, a mixture fitted to them, written to a file for the judge,
 *	  bench/private_mixture.py, which runs it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "numeric/philox.h"
#include "privacy/account.h"
#include "privacy/merge.h"
#include "privacy/mixture.h"
#include "privacy/noise.h"
#include "privacy/simplex.h"

#define MAX_COLUMNS	64
#define FIRST		0.4			/* of the budget for single columns */

static int	ncolumns;
static int64_t nrows;
static int	ncells[MAX_COLUMNS];
static bool ordered[MAX_COLUMNS];
static int *data;				/* [nrows][ncolumns] */

static uint64_t
next_word(void *arg)
{
	uint64_t	z = *(uint64_t *) arg += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* binary: int32 columns, rows; cells, ordered of each; codes */
static void
read_table(const char *path)
{
	FILE	   *in = fopen(path, "rb");
	int32_t		head[2];
	int32_t		each[2];

	if (in == NULL || fread(head, 4, 2, in) != 2)
		exit(1);
	ncolumns = head[0];
	nrows = head[1];
	for (int c = 0; c < ncolumns; c++)
	{
		if (fread(each, 4, 2, in) != 2)
			exit(1);
		ncells[c] = each[0];
		ordered[c] = each[1];
	}
	data = malloc(sizeof(int) * nrows * ncolumns);
	if (fread(data, 4, nrows * ncolumns, in) != (size_t) nrows * ncolumns)
		exit(1);
	fclose(in);
}

static double
add_noise(int64_t *count, int n, double rho, const GsWords *words)
{
	GsNoise		noise;
	uint64_t	num;
	uint64_t	den;

	if (!gs_privacy_sigma(rho, 1, &num, &den) ||
		!gs_noise_init(&noise, num, den))
		exit(1);
	for (int i = 0; i < n; i++)
		count[i] += gs_noise_draw(&noise, words);
	return sqrt((double) num / den);
}

int
main(int argc, char **argv)
{
	/* table, out, epsilon, delta, seed, members, components, steps */
	double		rho = gs_privacy_rho(atof(argv[3]), atof(argv[4]));
	uint64_t	state = strtoull(argv[5], NULL, 10) * 1000003;
	int			members = atoi(argv[6]);
	int			components = atoi(argv[7]);
	int			steps = atoi(argv[8]);
	GsWords		words = {next_word, &state};
	GsMarginal	marginal[MAX_COLUMNS * (MAX_COLUMNS + 1) / 2];
	double		all = 0;
	double		rows = 0;
	double		precision = 0;
	double		typical;
	int32_t    *cell[MAX_COLUMNS];
	int32_t    *bin[MAX_COLUMNS];
	int			nbins[MAX_COLUMNS];
	double	   *share[MAX_COLUMNS];
	bool		nullable[MAX_COLUMNS] = {false};
	int			n = 0;
	int			ntotal = 0;
	GsNoisyTable table;
	GsProducts *products;
	float	   *weight;
	float	   *shares;
	int32_t    *order;
	struct rusage usage;
	double		before;
	int			nall;
	float	   *row;
	FILE	   *out;

	(void) argc;
	read_table(argv[1]);
	for (int c = 0; c < ncolumns; c++)
		all += pow(ncells[c], 2.0 / 3);
	for (int c = 0; c < ncolumns; c++)
	{
		int64_t    *count = calloc(ncells[c], sizeof(int64_t));
		int64_t		sum = 0;
		double		variance;

		for (int64_t i = 0; i < nrows; i++)
			count[data[i * ncolumns + c]]++;
		marginal[n] = (GsMarginal) {c, -1, 0, count};
		marginal[n].sigma = add_noise(count, ncells[c], rho * FIRST *
									  pow(ncells[c], 2.0 / 3) / all, &words);
		variance = ncells[c] * marginal[n].sigma * marginal[n].sigma;
		n++;
		for (int x = 0; x < ncells[c]; x++)
			sum += count[x];
		rows += sum / variance;
		precision += 1 / variance;
		ntotal += ncells[c];
	}
	rows /= precision;
	typical = sqrt(ncolumns * (ncolumns - 1) / 2 / (2 * rho * (1 - FIRST))) /
		rows;
	for (int c = 0; c < ncolumns; c++)
	{
		share[c] = malloc(sizeof(double) * ncells[c]);
		bin[c] = malloc(sizeof(int32_t) * ncells[c]);
		gs_simplex(marginal[c].count, ncells[c], rows, share[c]);
		cell[c] = malloc(sizeof(int32_t) * ncells[c]);
		gs_merge_cells(share[c], ncells[c], ordered[c], false,
					   marginal[c].sigma / rows, cell[c]);
		nbins[c] = gs_merge_bins(share[c], ncells[c], ordered[c], false,
								 cell[c], typical, bin[c]);
	}
	all = 0;
	for (int a = 0; a < ncolumns; a++)
		for (int b = a + 1; b < ncolumns; b++)
			if (nbins[a] > 1 && nbins[b] > 1)
				all += pow(nbins[a] * nbins[b], 2.0 / 3);
	for (int a = 0; a < ncolumns; a++)
		for (int b = a + 1; b < ncolumns; b++)
		{
			int			cells = nbins[a] * nbins[b];
			int64_t    *count = calloc(cells, sizeof(int64_t));

			if (nbins[a] == 1 || nbins[b] == 1)
				continue;
			for (int64_t i = 0; i < nrows; i++)
				count[bin[a][data[i * ncolumns + a]] * nbins[b] +
					  bin[b][data[i * ncolumns + b]]]++;
			marginal[n] = (GsMarginal) {a, b, 0, count};
			marginal[n++].sigma = add_noise(count, cells, rho * (1 - FIRST) *
											pow(cells, 2.0 / 3) / all * 0.999999, &words);
		}
	table = (GsNoisyTable) {
		.ncolumns = ncolumns,.ncells = ncells,.ordered = ordered,
		.nullable = nullable,.rows = rows,.nmarginals = n,
		.marginals = marginal,.nbins = nbins,
		.bin = (const int32_t *const *) bin
	};
	getrusage(RUSAGE_SELF, &usage);
	before = usage.ru_utime.tv_sec + usage.ru_utime.tv_usec * 1e-6;
	products = gs_products_create(&table);
	nall = gs_products_cells(products);
	weight = malloc(sizeof(float) * members * components);
	shares = malloc(sizeof(float) * members * components * (size_t) nall);
	for (int m = 0; m < members; m++)
	{
		GsProductsFit fit = {.components = components,.steps = steps,.cycles = 4,
		.key = gs_mix64(state, m)};

		if (!gs_products_fit(products, &fit, weight + m * components,
							 shares + (size_t) m * components * nall))
			exit(1);
		fprintf(stderr, "%d steps chi-square %.3f; ", fit.done, fit.residual);
	}
	for (int r = 0; r < members * components; r++)
		weight[r] /= members;
	order = malloc(sizeof(int32_t) * members * components);
	if (!gs_products_order(products, members * components, weight, shares,
						   order))
		exit(1);
	getrusage(RUSAGE_SELF, &usage);
	fprintf(stderr, "\nrows %.0f bins", rows);
	for (int c = 0; c < ncolumns; c++)
		fprintf(stderr, " %d", nbins[c]);
	fprintf(stderr, " user %.2f s, %ld MB\n",
			usage.ru_utime.tv_sec + usage.ru_utime.tv_usec * 1e-6 - before,
			usage.ru_maxrss / 1024);
	out = fopen(argv[2], "wb");
	for (int r = 0; r < members * components; r++)
		fwrite(&weight[order[r]], 4, 1, out);
	row = malloc(sizeof(float) * ntotal);
	for (int r = 0; r < members * components; r++)
	{
		const float *from = shares + (size_t) order[r] * nall;
		float	   *to = row;

		/* a cell's values by their own shares */
		for (int c = 0; c < ncolumns; c++)
		{
			const int32_t *of = gs_products_cell_of(products, c);
			int			n = of[ncells[c] - 1] + 1;
			double	   *sum = calloc(n, sizeof(double));

			for (int x = 0; x < ncells[c]; x++)
				sum[of[x]] += share[c][x] + 1e-9;
			for (int x = 0; x < ncells[c]; x++)
				*to++ = from[of[x]] * (share[c][x] + 1e-9) / sum[of[x]];
			from += n;
			free(sum);
		}
		fwrite(row, 4, ntotal, out);
	}
	fclose(out);
	return 0;
}
