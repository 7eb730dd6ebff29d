#include "actors/api/facade.hpp"

namespace picket::api {

error error_of(const registry::propose_answer& answer) {
  using registry::proposed;
  switch (answer.how) {
  case proposed::ok:
    return {};
  case proposed::refused:
    return {static_cast<errc>(answer.result.code), answer.result.text, {}, {}};
  case proposed::busy:
    return {errc::registry_busy, "too many changes wait", {}, {}};
  case proposed::unknown:
    return {errc::outcome_unknown, "no answer came in time", {}, {}};
  case proposed::unavailable:
  case proposed::too_late:
    return {errc::registry_unavailable, "the registry cannot take changes now", {}, {}};
  }
  return {errc::internal, "an answer that is not known", {}, {}};
}

} // namespace picket::api
