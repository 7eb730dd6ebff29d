#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace picket {

/// Numbers of the table in base/telemetry/error_codes.def; they travel, so they are pinned.
enum class errc : std::uint16_t {
#define PICKET_ERROR(number, name, meaning, mend) name = number,
#include "base/telemetry/error_codes.def"
#undef PICKET_ERROR
};

/// The stable name of a code, for example "not_found".
std::string_view name_of(errc code) noexcept;
/// What the code means, one sentence.
std::string_view meaning_of(errc code) noexcept;
/// What a user can do about it in general; an error's own `mend` is more precise.
std::string_view mend_of(errc code) noexcept;

/// An error as a value: what happened, where, and how to mend it. Never thrown.
struct error {
  errc code = errc::internal;
  std::string what;  ///< one sentence without a final full stop
  std::string where; ///< file:line:column, address, key or empty
  std::string mend;  ///< empty: the code's general advice
};

/// "where: what (mend)", for people.
std::string to_string(const error& err);

template <class T>
using result = tl::expected<T, error>;

/// Short for `tl::unexpected(error{...})`.
inline tl::unexpected<error> fail(errc code, std::string what, std::string where = {},
                                  std::string mend = {}) {
  return tl::unexpected<error>(error{code, std::move(what), std::move(where), std::move(mend)});
}

/// The text of an errno value; thread-safe.
std::string system_text(int errno_value);

} // namespace picket
