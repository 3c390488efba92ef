/*
 * latent.h
 *	  The correlation of two latent normal variates of which only bins are
 *	  seen: tetrachoric and polychoric correlation by Hermite series (Pearson
 *	  1900; Kirk 1973), for any number of bins.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_LATENT_H
#define GENSYNTH_LATENT_H

#define GS_HERMITE_TERMS 24

extern void gs_bin_scores(int nbins, const double *share, double *score,
						  double hermite[GS_HERMITE_TERMS + 1]);
extern double gs_latent_correlation(const double a[GS_HERMITE_TERMS + 1],
									const double b[GS_HERMITE_TERMS + 1],
									double observed);

#endif
