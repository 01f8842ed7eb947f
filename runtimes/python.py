"""The program that runs handlers written for Python: Lambda's runtime API with the standard library alone."""
import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

PREFIX = "/2018-06-01/runtime"
OLDEST = (3, 9)


class Context:
    """What a handler is told beside its event."""

    def __init__(self, request_id, deadline_ms, arn):
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = None
        self.identity = None
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, text):
        sys.stdout.write(str(text))


class RequestIdFilter(logging.Filter):
    """Gives each log record the id of the event it was written for."""

    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)


class RuntimeClient:
    """One connection to the node; without it there is nobody to work for."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(address)
        self._connection.connect()

    def request(self, method, path, body=None, error_type=None):
        headers = {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if error_type is not None:
            visible = "".join(letter if "!" <= letter <= "~" else "?" for letter in error_type)
            headers["Lambda-Runtime-Function-Error-Type"] = visible[:256]
        try:
            self._connection.request(method, PREFIX + path, body, headers)
            response = self._connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException):
            os._exit(0)


class LoadError(Exception):
    """Why a handler cannot be loaded; the names are Lambda's."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


def check_version():
    if sys.version_info < OLDEST:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        hint = "install Python 3.9 or newer, or name one with `python: PATH`"
        raise LoadError("Runtime.InvalidEntrypoint", f"{sys.executable} is Python {version}: {hint}")


def load_handler(name):
    parts = name.rsplit(".", 1)
    if len(parts) != 2 or not all(parts):
        raise LoadError("Runtime.MalformedHandlerName", f"Bad handler '{name}': expected module.function")
    module_name, function_name = parts[0].replace("/", "."), parts[1]
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}{hint_of(error)}"
        raise LoadError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n'
        message = f"Syntax error in module '{module_name}': {error}"
        raise LoadError("Runtime.UserCodeSyntaxError", message, [place]) from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise LoadError("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return handler


def hint_of(error):
    """The one thing that Lambda has and a machine may not."""
    if (error.name or "").split(".")[0] not in ("boto3", "botocore"):
        return ""
    return f"; install it: {sys.executable} -m pip install boto3"


def say(text=""):
    """Prints where the handler left something to print to."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is sys.stdout:
                stream.write(text)
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def message_of(error):
    try:
        return str(error)
    except Exception:  # Whatever an error of the handler's own does when it is asked.
        return "an error that cannot be told"


def error_object(error, request_id):
    if isinstance(error, LoadError):
        kind, trace = error.kind, error.trace
    else:
        kind = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        trace = traceback.format_list([frame for frame in frames if frame.filename != __file__])
    message = message_of(error)
    shape = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    lines = "".join(trace)
    say(f"[ERROR] {kind}: {message}\n" + (f"Traceback (most recent call last):\n{lines}" if trace else ""))
    return shape


def plain(value):
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def encoded(value):
    try:
        return json.dumps(value, ensure_ascii=False, default=plain).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        raise LoadError("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def post_error(client, path, error, request_id):
    shape = error_object(error, request_id)
    client.request("POST", path, json.dumps(shape).encode(), shape["errorType"])


def serve(client, handler):
    while True:
        _, headers, body = client.request("GET", "/invocation/next")
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        RequestIdFilter.request_id = request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        context = Context(request_id, int(headers["Lambda-Runtime-Deadline-Ms"]), arn)
        try:
            answer = encoded(handler(json.loads(body), context))
        except Exception as error:  # Whatever a handler raises is its answer.
            post_error(client, f"/invocation/{request_id}/error", error, request_id)
            continue
        finally:
            say()
        status, _, refusal = client.request("POST", f"/invocation/{request_id}/response", answer)
        if status >= 400:
            say(refusal.decode("utf-8", "replace"))


def main():
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    set_up_logging()
    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        check_version()
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:  # Also what the module itself raises.
        post_error(client, "/init/error", error, "")
        sys.exit(1)
    serve(client, handler)


if __name__ == "__main__":
    main()
