/* The rectangle network: LSTM(10), one time step, Dense(2), mean absolute error, Adam.

A single step from a state of zeros uses neither the recurrent weights nor the forget gate: their
gradients are always zero. The other weights are three arrays, padded to full vectors: W (gates i g
o)(x, y, bias)(16 cells), V (2)(16), and two output biases. Cells 10 to 15 are padding: their output
weights are zero and stay zero. IDLE weights with a gradient of zero follow, which Adam updates as
it does in the frameworks: with 430 of them the network has all its 542 weights.

With cc -O3 -march=native -ffast-math -fopenmp-simd the loops below are vectorized, and exp becomes
a call of libmvec. */

#include <math.h>

enum { CELLS = 10, LANES = 16, BATCH = 3, GATES = 3 };
enum { W = GATES * 3 * LANES, V = 2 * LANES, ALL = W + V + LANES + IDLE };

typedef struct {
    float weight[ALL], first[ALL], second[ALL];
} state_t;

/* tanh for |x| up to 44, exactly 0 at 0 even with fast math: in the first update one output equals
   its target, and the sign of that error must be 0. */
static inline float tangent(float x) {
    float e = expf(-2 * x);
    return (1 - e) / (1 + e);
}

static void gradient(const float *p, const float *x, const float *y, float *restrict g) {
    const float *w = p, *v = p + W, *b = p + W + V;
    float gate[GATES][BATCH * LANES], h[BATCH * LANES], t[BATCH * LANES], sign[BATCH][2];
    for (int n = 0; n < BATCH; n++)
        for (int k = 0; k < GATES; k++)
#pragma omp simd
            for (int j = 0; j < LANES; j++)
                gate[k][n * LANES + j] = w[(3 * k) * LANES + j] * x[2 * n] +
                                         w[(3 * k + 1) * LANES + j] * x[2 * n + 1] +
                                         w[(3 * k + 2) * LANES + j];
    float *i = gate[0], *q = gate[1], *o = gate[2];
#pragma omp simd
    for (int j = 0; j < BATCH * LANES; j++) {
        i[j] = 1 / (1 + expf(-i[j]));
        o[j] = 1 / (1 + expf(-o[j]));
        q[j] = tangent(q[j]);
        t[j] = tangent(i[j] * q[j]);
        h[j] = o[j] * t[j];
    }
    for (int n = 0; n < BATCH; n++)
        for (int d = 0; d < 2; d++) {
            float sum = b[d];
#pragma omp simd reduction(+ : sum)
            for (int j = 0; j < LANES; j++) sum += v[d * LANES + j] * h[n * LANES + j];
            float error = sum - y[2 * n + d];
            sign[n][d] = ((error > 0) - (error < 0)) / (float)(2 * BATCH);
        }
    for (int j = 0; j < ALL; j++) g[j] = 0;
    for (int n = 0; n < BATCH; n++) {
        const float *in = i + n * LANES, *qn = q + n * LANES, *on = o + n * LANES;
        const float *hn = h + n * LANES, *tn = t + n * LANES;
        for (int d = 0; d < 2; d++) g[W + V + d] += sign[n][d];
#pragma omp simd
        for (int j = 0; j < LANES; j++) {
            g[W + j] += sign[n][0] * hn[j];
            g[W + LANES + j] += sign[n][1] * hn[j];
            float dh = sign[n][0] * v[j] + sign[n][1] * v[LANES + j];
            float dc = dh * on[j] * (1 - tn[j] * tn[j]);
            float dz[GATES] = {dc * qn[j] * in[j] * (1 - in[j]), dc * in[j] * (1 - qn[j] * qn[j]),
                               dh * tn[j] * on[j] * (1 - on[j])};
            for (int k = 0; k < GATES; k++) {
                g[(3 * k) * LANES + j] += dz[k] * x[2 * n];
                g[(3 * k + 1) * LANES + j] += dz[k] * x[2 * n + 1];
                g[(3 * k + 2) * LANES + j] += dz[k];
            }
        }
    }
}

/* x and y (updates, 3, 2); kernel (2, 40), bias (40), gates in Keras' order i f g o; dense (10, 2). */
void train(float *kernel, float *bias, float *dense, float *dense_bias, const float *x,
           const float *y, int updates, float rate) {
    static const int order[GATES] = {0, 2, 3};
    state_t s = {0};
    float *w = s.weight, *v = w + W, *b = v + V;
    for (int k = 0; k < GATES; k++)
        for (int j = 0; j < CELLS; j++) {
            int column = order[k] * CELLS + j;
            w[(3 * k) * LANES + j] = kernel[column];
            w[(3 * k + 1) * LANES + j] = kernel[4 * CELLS + column];
            w[(3 * k + 2) * LANES + j] = bias[column];
        }
    for (int j = 0; j < CELLS; j++)
        for (int d = 0; d < 2; d++) v[d * LANES + j] = dense[2 * j + d];
    b[0] = dense_bias[0], b[1] = dense_bias[1];
    double beta1 = 1, beta2 = 1;
    for (int u = 0; u < updates; u++) {
        float g[ALL];
        gradient(w, x + 6 * u, y + 6 * u, g);
        beta1 *= 0.9, beta2 *= 0.999;
        float alpha = rate * sqrt(1 - beta2) / (1 - beta1);
#pragma omp simd
        for (int j = 0; j < ALL; j++) {
            s.first[j] += (g[j] - s.first[j]) * 0.1f;
            s.second[j] += (g[j] * g[j] - s.second[j]) * 0.001f;
            w[j] -= alpha * s.first[j] / (sqrtf(s.second[j]) + 1e-7f);
        }
    }
    for (int k = 0; k < GATES; k++)
        for (int j = 0; j < CELLS; j++) {
            int column = order[k] * CELLS + j;
            kernel[column] = w[(3 * k) * LANES + j];
            kernel[4 * CELLS + column] = w[(3 * k + 1) * LANES + j];
            bias[column] = w[(3 * k + 2) * LANES + j];
        }
    for (int j = 0; j < CELLS; j++)
        for (int d = 0; d < 2; d++) dense[2 * j + d] = v[d * LANES + j];
    dense_bias[0] = b[0], dense_bias[1] = b[1];
}
