#include "cluster-tests/etcd_contract/etcd_members.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cluster-tests/harness/node_process.hpp"

namespace picket::etcd_contract {

namespace fs = std::filesystem;

namespace {

constexpr const char* program = "/usr/bin/etcd";
constexpr std::int64_t question_limit_ms = 2'000;

int free_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0
      || ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error{"no free port"};
  ::close(fd);
  return ntohs(at.sin_port);
}

void run(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0)
    throw std::runtime_error{"failed: " + command};
}

/// A CA, and one certificate for members and clients alike.
void make_certificates(const fs::path& to) {
  auto at = [&](const char* file) { return "'" + (to / file).string() + "'"; };
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout "
      + at("ca.key") + " -out " + at("ca.pem"));
  run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=node -keyout "
      + at("node.key") + " -out " + at("node.csr"));
  std::ofstream{to / "extensions"} << "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
  run("openssl x509 -req -days 2 -in " + at("node.csr") + " -CA " + at("ca.pem") + " -CAkey " + at("ca.key")
      + " -CAcreateserial -extfile " + at("extensions") + " -out " + at("node.pem"));
}

std::string url(const char* scheme, int port) {
  return std::string{scheme} + "://127.0.0.1:" + std::to_string(port);
}

} // namespace

bool etcd_is_installed() { return ::access(program, X_OK) == 0; }

etcd_members::etcd_members(fs::path directory, const members_options& options)
    : directory_{std::move(directory)}
    , options_{options} {
  fs::create_directories(directory_);
  make_certificates(directory_);
  for (int i = 0; i < options_.count; ++i)
    all_.push_back({free_port(), free_port(), -1, true});
  for (int i = 0; i < options_.count; ++i)
    start(i);
}

etcd_members::~etcd_members() {
  for (std::size_t i = 0; i < all_.size(); ++i)
    kill(static_cast<int>(i));
}

void etcd_members::start(int which) {
  auto& one = all_[static_cast<std::size_t>(which)];
  auto me = name(static_cast<std::size_t>(which));
  std::string members;
  for (std::size_t i = 0; i < all_.size(); ++i)
    members += (i == 0 ? "" : ",") + name(i) + "=" + url("http", all_[i].peer_port);
  auto file = [&](const char* which_file) { return (directory_ / which_file).string(); };
  std::vector<std::string> words{program,
                                 "--name",
                                 me,
                                 "--data-dir",
                                 (directory_ / me).string(),
                                 "--listen-client-urls",
                                 url("https", one.client_port),
                                 "--advertise-client-urls",
                                 url("https", one.client_port),
                                 "--listen-peer-urls",
                                 url("http", one.peer_port),
                                 "--initial-advertise-peer-urls",
                                 url("http", one.peer_port),
                                 "--initial-cluster",
                                 members,
                                 "--initial-cluster-state",
                                 one.fresh ? "new" : "existing",
                                 "--cert-file",
                                 file("node.pem"),
                                 "--key-file",
                                 file("node.key"),
                                 "--trusted-ca-file",
                                 file("ca.pem"),
                                 "--client-cert-auth",
                                 "--max-txn-ops",
                                 "1024",
                                 "--quota-backend-bytes",
                                 options_.quota_bytes,
                                 "--snapshot-count",
                                 "2000",
                                 "--log-level",
                                 "error"};
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  auto log = file((me + ".log").c_str());
  one.pid = ::fork();
  if (one.pid != 0) {
    one.fresh = false;
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execv(program, arguments.data());
  ::_exit(127);
}

void etcd_members::signal(int which, int number) {
  auto pid = all_[static_cast<std::size_t>(which)].pid;
  if (pid > 0) ::kill(pid, number);
}

void etcd_members::kill(int which) {
  auto& one = all_[static_cast<std::size_t>(which)];
  if (one.pid <= 0) return;
  signal(which, SIGKILL);
  ::waitpid(one.pid, nullptr, 0);
  one.pid = -1;
}

void etcd_members::freeze(int which) { signal(which, SIGSTOP); }
void etcd_members::thaw(int which) { signal(which, SIGCONT); }

registry::etcd_access etcd_members::access(int first) const {
  registry::etcd_access made;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto& one = all_[(static_cast<std::size_t>(first) + i) % all_.size()];
    made.endpoints.push_back("127.0.0.1:" + std::to_string(one.client_port));
  }
  made.ca_file = directory_ / "ca.pem";
  made.certificate_file = directory_ / "node.pem";
  made.key_file = directory_ / "node.key";
  return made;
}

std::string etcd_members::post(int which, const std::string& path, const std::string& body) const {
  auto one = access(which);
  one.endpoints.resize(1);
  registry::etcd_connection connection{one};
  auto reply = connection.post(path, body, question_limit_ms);
  return reply.kind == registry::reply_kind::answered ? reply.body : std::string{};
}

int etcd_members::leader() const {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].pid <= 0) continue;
    auto status =
        nlohmann::json::parse(post(static_cast<int>(i), "/v3/maintenance/status", "{}"), nullptr, false);
    if (!status.is_object() || !status.contains("leader")) continue;
    if (status["leader"] == status["header"]["member_id"]) return static_cast<int>(i);
  }
  return -1;
}

bool etcd_members::wait_until_ready() const {
  return harness::eventually([this] {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (all_[i].pid <= 0) continue;
      if (post(static_cast<int>(i), "/v3/kv/range", R"({"key":"YQ=="})").find("header") == std::string::npos)
        return false;
    }
    return true;
  });
}

} // namespace picket::etcd_contract
