/*
 * test_latent.c
 *	  Latent correlations are found again from binned ones.
 *
 * The correlation that bins show is integrated here numerically, from the
 * normal distribution alone, so that nothing is shared with the Hermite series
 * that is under test.
 */
#include <math.h>
#include <string.h>

#include "../../src/numeric/latent.h"
#include "../../src/numeric/normal.h"
#include "test.h"

#define MAX_BINS	40

typedef struct Bins
{
	const char *name;
	int			n;
	double		share[MAX_BINS];
	double		score[MAX_BINS];
	double		limit[MAX_BINS + 1];
	double		hermite[GS_HERMITE_TERMS + 1];
} Bins;

static void
prepare(Bins *bins)
{
	double		sum = 0;
	int			i;

	bins->limit[0] = -INFINITY;
	for (i = 0; i < bins->n; i++)
	{
		sum += bins->share[i];
		bins->limit[i + 1] = gs_normal_quantile(sum);
	}
	bins->limit[bins->n] = INFINITY;
	gs_bin_scores(bins->n, bins->share, bins->score, bins->hermite);
}

/*
 * E[score of X's bin times score of Y's bin] for X, Y of correlation rho:
 * over x by Simpson's rule in each bin, over y exactly.
 */
static double
binned_correlation(const Bins *x, const Bins *y, double rho)
{
	const int	steps = 400;
	double		conditional_sd = sqrt(1 - rho * rho);
	double		total = 0;
	int			i;
	int			j;
	int			s;

	for (i = 0; i < x->n; i++)
	{
		double		low = fmax(x->limit[i], -9);
		double		high = fmin(x->limit[i + 1], 9);
		double		h = (high - low) / steps;
		double		sum = 0;

		for (s = 0; s <= steps; s++)
		{
			double		z = low + s * h;
			double		inner = 0;
			double		below = 0;

			for (j = 0; j < y->n; j++)
			{
				double		next = gs_normal_cdf((y->limit[j + 1] - rho * z) /
												 conditional_sd);

				inner += y->score[j] * (next - below);
				below = next;
			}
			sum += inner * gs_normal_pdf(z) *
				(s == 0 || s == steps ? 1 : s % 2 == 1 ? 4 : 2);
		}
		total += x->score[i] * sum * h / 3;
	}
	return total;
}

static void
check_recovery(const Bins *x, const Bins *y, double limit)
{
	double		worst = 0;
	double		at = 0;
	double		rho;
	char		name[160];

	for (rho = -limit; rho <= limit + 1e-9; rho += limit / 8)
	{
		double		observed = binned_correlation(x, y, rho);
		double		found = gs_latent_correlation(x->hermite, y->hermite,
												  observed);

		if (!(fabs(found - rho) <= worst))
		{
			worst = fabs(found - rho);
			at = rho;
		}
	}
	snprintf(name, sizeof(name), "rho up to %g from %s and %s", limit,
			 x->name, y->name);
	if (!CHECK(worst <= 0.01, name))
		printf("# off by %g at rho = %g\n", worst, at);
}

static void
check_scores(const Bins *bins)
{
	double		mean = 0;
	double		variance = 0;
	double		power = 0;
	int			unordered = 0;
	int			i;
	char		name[160];

	for (i = 0; i < bins->n; i++)
	{
		mean += bins->share[i] * bins->score[i];
		variance += bins->share[i] * bins->score[i] * bins->score[i];
		unordered += i > 0 && !(bins->score[i] > bins->score[i - 1]);
	}
	for (i = 1; i <= GS_HERMITE_TERMS; i++)
		power += bins->hermite[i] * bins->hermite[i];
	snprintf(name, sizeof(name), "scores of %s are ordered and standardised",
			 bins->name);
	CHECK(unordered == 0 && fabs(mean) < 1e-10 && fabs(variance - 1) < 1e-10,
		  name);
	snprintf(name, sizeof(name), "power of %s is at most 1", bins->name);
	CHECK(bins->hermite[0] == 0 && bins->hermite[1] > 0 && power < 1 + 1e-9,
		  name);
}

int
main(void)
{
	static Bins half = {.name = "halves", .n = 2,
		.share = {0.5, 0.5}};
	static Bins skew = {.name = "0.2 and 0.8", .n = 2,
		.share = {0.2, 0.8}};
	static Bins rare = {.name = "0.97 and 0.03", .n = 2,
		.share = {0.97, 0.03}};
	static Bins three = {.name = "0.1, 0.6, 0.3", .n = 3,
		.share = {0.1, 0.6, 0.3}};
	static Bins seven = {.name = "seven bins", .n = 7,
		.share = {0.3, 0.05, 0.25, 0.01, 0.09, 0.1, 0.2}};
	static Bins fine = {.name = "40 bins", .n = 40};
	static Bins tiny = {.name = "a bin of 1e-12", .n = 2,
		.share = {1 - 1e-12, 1e-12}};
	static Bins one = {.name = "one bin", .n = 1,
		.share = {1}};
	Bins	   *coarse[5];
	double		r;
	double		last;
	int			unordered = 0;
	int			wrong = 0;
	int			i;
	int			j;

	for (i = 0; i < 40; i++)
		fine.share[i] = 1.0 / 40;
	coarse[0] = &half;
	coarse[1] = &skew;
	coarse[2] = &three;
	coarse[3] = &seven;
	coarse[4] = &fine;
	for (i = 0; i < 5; i++)
		prepare(coarse[i]);
	prepare(&rare);
	prepare(&tiny);
	prepare(&one);

	for (i = 0; i < 5; i++)
		check_scores(coarse[i]);
	check_scores(&rare);
	check_scores(&tiny);
	CHECK(half.score[0] == -1 && half.score[1] == 1, "scores of halves");
	CHECK_NEAR(half.hermite[1], sqrt(2 / M_PI), 1e-14,
			   "first coefficient of halves");
	CHECK(one.score[0] == 0, "score of one bin");
	for (i = 0; i <= GS_HERMITE_TERMS; i++)
		wrong += one.hermite[i] != 0;
	CHECK(wrong == 0, "coefficients of one bin");

	/* two halves have a closed form, asin(rho) 2 / pi (Sheppard 1899) */
	CHECK_NEAR(gs_latent_correlation(half.hermite, half.hermite,
									 asin(0.6) * 2 / M_PI), 0.6, 1e-6,
			   "halves with rho = 0.6");
	CHECK_NEAR(binned_correlation(&half, &half, 0.6), asin(0.6) * 2 / M_PI,
			   1e-8, "this test's own integral");

	for (i = 0; i < 5; i++)
		for (j = 0; j <= i; j++)
			if (coarse[i] != &skew || coarse[j] != &skew)
				check_recovery(coarse[i], coarse[j], 0.9);

	/* towards -1, small bins hardly meet, and all rho look alike */
	check_recovery(&skew, &skew, 0.8);
	check_recovery(&rare, &fine, 0.9);
	check_recovery(&fine, &fine, 0.98);
	check_recovery(&rare, &rare, 0.6);

	/* what is found is as strange as the observation, never stranger */
	CHECK(gs_latent_correlation(fine.hermite, fine.hermite, 1) == 0.999 &&
		  gs_latent_correlation(half.hermite, half.hermite, 5) == 0.999 &&
		  gs_latent_correlation(half.hermite, half.hermite, -1) == -0.999,
		  "out of reach gives the end");
	CHECK(gs_latent_correlation(half.hermite, fine.hermite, 0) == 0 &&
		  gs_latent_correlation(half.hermite, one.hermite, 0.5) == 0 &&
		  gs_latent_correlation(one.hermite, half.hermite, 0.5) == 0,
		  "nothing gives nothing");
	CHECK(gs_latent_correlation(half.hermite, half.hermite, NAN) == 0,
		  "NaN gives 0");
	CHECK_NEAR(gs_latent_correlation(half.hermite, fine.hermite, 1e-12),
			   1e-12 / (half.hermite[1] * fine.hermite[1]), 1e-15,
			   "a correlation of nearly nothing");

	last = -1;
	for (r = -1; r <= 1; r += 1.0 / 512)
	{
		double		rho = gs_latent_correlation(rare.hermite, skew.hermite, r);

		unordered += !(rho >= last - 1e-7) || fabs(rho) > 0.999;
		last = rho;
	}
	CHECK(unordered == 0, "a higher observation gives no lower rho");

	return test_done();
}
