#include "base/error.hpp"

#include <system_error>

namespace picket {

std::string_view name_of(errc code) noexcept {
  switch (code) {
#define PICKET_ERROR(number, name, meaning, mend)                                                            \
  case errc::name:                                                                                           \
    return #name;
#include "base/telemetry/error_codes.def"
#undef PICKET_ERROR
  }
  return "unknown";
}

std::string_view meaning_of(errc code) noexcept {
  switch (code) {
#define PICKET_ERROR(number, name, meaning, mend)                                                            \
  case errc::name:                                                                                           \
    return meaning;
#include "base/telemetry/error_codes.def"
#undef PICKET_ERROR
  }
  return "unknown error";
}

std::string_view mend_of(errc code) noexcept {
  switch (code) {
#define PICKET_ERROR(number, name, meaning, mend)                                                            \
  case errc::name:                                                                                           \
    return mend;
#include "base/telemetry/error_codes.def"
#undef PICKET_ERROR
  }
  return "";
}

std::string to_string(const error& err) {
  std::string text;
  if (!err.where.empty()) text = err.where + ": ";
  text += err.what.empty() ? std::string{meaning_of(err.code)} : err.what;
  std::string_view mend = err.mend.empty() ? mend_of(err.code) : std::string_view{err.mend};
  if (!mend.empty()) text.append(" (").append(mend).append(")");
  return text;
}

std::string system_text(int errno_value) { return std::generic_category().message(errno_value); }

} // namespace picket
