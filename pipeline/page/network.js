/* The forward pass of the layers that the networks consist of. Weights are those of Keras, {data,
   shape} with rows for inputs and columns for outputs; numbers are computed in float64. An input is
   an array, or an integer that stands for a one-hot vector; null is a vector of zeros. */

/** Add the product of an input and a matrix to `sums`. */
function addProduct(sums, input, { data, shape }) {
  const columns = shape[1];
  if (input === null) return sums;
  if (typeof input === "number") {
    for (let j = 0, at = input * columns; j < columns; j++) sums[j] += data[at + j];
    return sums;
  }
  for (let i = 0; i < input.length; i++) {
    const value = input[i];
    if (value !== 0) {
      for (let j = 0, at = i * columns; j < columns; j++) sums[j] += value * data[at + j];
    }
  }
  return sums;
}

/** A dense layer without activation; `name/bias` may be missing. */
function dense(input, weights, name) {
  const kernel = weights[`${name}/kernel`];
  const bias = weights[`${name}/bias`];
  const sums = bias ? Float64Array.from(bias.data) : new Float64Array(kernel.shape[1]);
  return addProduct(sums, input, kernel);
}

/** One output of a dense layer. */
function denseColumn(input, weights, name, column) {
  const { data, shape } = weights[`${name}/kernel`];
  let sum = weights[`${name}/bias`].data[column];
  for (let i = 0; i < input.length; i++) sum += input[i] * data[i * shape[1] + column];
  return sum;
}

/** The state of an LSTM before its first step. */
function zeroState(weights, name) {
  const cells = weights[`${name}/recurrent`].shape[0];
  return { hidden: new Float64Array(cells), cell: new Float64Array(cells) };
}

/** One step of an LSTM; returns the new state, whose `hidden` is the output. */
function lstmStep(input, state, weights, name) {
  const gates = Float64Array.from(weights[`${name}/bias`].data);
  addProduct(gates, input, weights[`${name}/kernel`]);
  addProduct(gates, state.hidden, weights[`${name}/recurrent`]);
  const cells = state.hidden.length;
  const next = { hidden: new Float64Array(cells), cell: new Float64Array(cells) };
  for (let k = 0; k < cells; k++) {
    const write = sigmoid(gates[k]);
    const keep = sigmoid(gates[cells + k]);
    const show = sigmoid(gates[3 * cells + k]);
    next.cell[k] = keep * state.cell[k] + write * Math.tanh(gates[2 * cells + k]);
    next.hidden[k] = show * Math.tanh(next.cell[k]);
  }
  return next;
}

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/** Probabilities of logits, which are divided by the temperature. At 0, the largest one gets 1. */
function softmax(logits, temperature = 1) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const scale = 1 / Math.max(temperature, 1e-6);
  const shares = Float64Array.from(logits, (logit) => Math.exp((logit - largest) * scale));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / total);
}

/** Sample an index from logits by a random number in [0, 1), as `engine/sampling.py` does. */
function sampleCategorical(logits, uniform, temperature) {
  if (temperature === 0) return argmax(logits);
  const shares = softmax(logits, temperature);
  let index = 0;
  for (let passed = shares[0]; passed <= uniform && index < shares.length - 1; index++) {
    passed += shares[index + 1];
  }
  return index;
}

function argmax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Attention: the weights of the keys for a query, and the sum of the values with these weights. */
function attend(query, values, keys, scale = 1) {
  const shares = softmax(keys.map((key) => scale * dot(query, key)));
  const context = new Float64Array(values[0].length);
  values.forEach((value, t) => {
    for (let k = 0; k < context.length; k++) context[k] += shares[t] * value[k];
  });
  return { shares, context };
}
