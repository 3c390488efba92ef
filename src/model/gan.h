/*
 * gan.h
 *	  The generative adversarial network, between its files.
 */
#ifndef GENSYNTH_GAN_H
#define GENSYNTH_GAN_H

#include "model/fit_context.h"
#include "nets/decoder_net.h"

/* gan.c */
extern GsDecoderNet gs_gan_generator(GsDecoderNet net);

/* gan_fit.c */
extern void gs_gan_fit(GsFitContext *context);

#endif
