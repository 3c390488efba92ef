/*
 * vae.h
 *	  The variational autoencoder, between its files.
 */
#ifndef GENSYNTH_VAE_H
#define GENSYNTH_VAE_H

#include "model/fit_context.h"

/* vae_fit.c */
extern void gs_vae_fit(GsFitContext *context);

#endif
