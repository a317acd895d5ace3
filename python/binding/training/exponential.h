// exp of a register, to two roundings: 2 ** n times Taylor's series of what is left, which is below ln(2) / 2.
#pragma once

namespace pumice::training {
namespace {

// Exactly 0 below -87; not a number stays that. Above 88 it is not called.
template <class V>
inline typename V::Register exponential(typename V::Register x) {
  const auto limit = V::broadcast(-87.0f);
  const auto held = V::larger(limit, x);
  const auto power = V::nearest(V::multiply(held, V::broadcast(1.44269504f)));
  // ln(2) in two parts: the product with the first has no rounding.
  auto rest = V::fused(power, V::broadcast(-0.693359375f), held);
  rest = V::fused(power, V::broadcast(2.12194440e-4f), rest);
  auto sum = V::broadcast(1.0f / 5040);
  sum = V::fused(sum, rest, V::broadcast(1.0f / 720));
  sum = V::fused(sum, rest, V::broadcast(1.0f / 120));
  sum = V::fused(sum, rest, V::broadcast(1.0f / 24));
  sum = V::fused(sum, rest, V::broadcast(1.0f / 6));
  sum = V::fused(sum, rest, V::broadcast(0.5f));
  sum = V::fused(sum, rest, V::broadcast(1.0f));
  sum = V::fused(sum, rest, V::broadcast(1.0f));
  return V::zero_below(V::times_power(sum, power), x, limit);
}

}  // namespace
}  // namespace pumice::training
