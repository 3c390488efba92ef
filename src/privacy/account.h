/*
 * account.h
 *	  What discrete Gaussian noise costs: zero-concentrated differential
 *	  privacy.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_ACCOUNT_H
#define GENSYNTH_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

extern double gs_privacy_delta(double rho, double epsilon);
extern double gs_privacy_epsilon(double rho, double delta);
extern double gs_privacy_rho(double epsilon, double delta);
extern double gs_privacy_cost(uint64_t sensitivity, uint64_t num,
							  uint64_t den);
extern bool gs_privacy_sigma(double rho, uint64_t sensitivity, uint64_t *num,
							 uint64_t *den);

#endif
