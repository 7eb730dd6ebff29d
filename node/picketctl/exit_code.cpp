#include "node/picketctl/exit_code.hpp"

namespace picket::ctl {

exit_code exit_code_of(errc code) noexcept {
  switch (code) {
  case errc::bad_configuration:
  case errc::invalid_argument:
    return exit_code::usage;
  case errc::not_running:
  case errc::timeout:
  case errc::certificate_invalid:
  case errc::address_invalid:
    return exit_code::unreachable;
  case errc::permission:
    return exit_code::refused;
  default:
    return exit_code::no;
  }
}

} // namespace picket::ctl
