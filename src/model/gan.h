/*
 * gan.h
 *	  The generative adversarial network, between its files.
 */
#ifndef GENSYNTH_GAN_H
#define GENSYNTH_GAN_H

#include "model/vae.h"

/* gan_fit.c */
extern void gs_gan_fit(GsFitContext *context);

#endif
