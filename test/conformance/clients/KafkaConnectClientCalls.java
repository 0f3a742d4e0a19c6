import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.request.post.PostConnectorRestart;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.InvalidRequestException;

/** Calls kafka-connect-client by its own names: {@code words<TAB>of<TAB>a call} a line in, one line of JSON out. */
public class KafkaConnectClientCalls {
  private static final ObjectMapper JSON = new ObjectMapper().disable(SerializationFeature.FAIL_ON_EMPTY_BEANS);

  private final KafkaConnectClient client;

  KafkaConnectClientCalls(String url) {
    var address = URI.create(url);
    var user = address.getUserInfo();
    if (user == null) {
      client = new KafkaConnectClient(new Configuration(url));
    } else {
      var credentials = user.split(":", 2);
      var configuration = new Configuration("http://" + address.getAuthority().substring(user.length() + 1));
      client = new KafkaConnectClient(configuration.useBasicAuth(credentials[0], credentials[1]));
    }
  }

  public static void main(String[] args) throws Exception {
    var calls = new KafkaConnectClientCalls(args[0]);
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null; ) {
      Object answer;
      try {
        answer = calls.call(line.split("\t"));
      } catch (InvalidRequestException error) {
        answer = new LinkedHashMap<>(Map.of("raised", error.getClass().getSimpleName(), "code", error.getErrorCode(),
            "message", error.getMessage()));
      } catch (RuntimeException error) {
        answer = Map.of("raised", error.getClass().getSimpleName(), "message", String.valueOf(error.getMessage()));
      }
      System.out.println(JSON.writeValueAsString(answer));
    }
  }

  private Object call(String[] words) throws Exception {
    var name = words.length > 1 ? words[1] : null;
    return switch (words[0]) {
      case "getConnectServerVersion" -> client.getConnectServerVersion();
      case "getConnectors" -> client.getConnectors();
      case "getConnectorsWithExpandedStatus" -> client.getConnectorsWithExpandedStatus().getMappedStatuses();
      case "getConnectorsWithExpandedInfo" -> client.getConnectorsWithExpandedInfo().getMappedDefinitions();
      case "getConnectorsWithAllExpandedMetadata" -> client.getConnectorsWithAllExpandedMetadata().getMappedStatuses();
      case "getConnector" -> client.getConnector(name);
      case "getConnectorConfig" -> client.getConnectorConfig(name);
      case "getConnectorStatus" -> client.getConnectorStatus(name);
      case "getConnectorTopics" -> client.getConnectorTopics(name);
      case "resetConnectorTopics" -> client.resetConnectorTopics(name);
      case "addConnector" -> client.addConnector(new NewConnectorDefinition(name, config(words[2])));
      case "updateConnectorConfig" -> client.updateConnectorConfig(name, config(words[2]));
      case "restartConnector" -> client.restartConnector(name);
      case "restartConnectorWithTasks" -> client.restartConnector(
          new PostConnectorRestart(name).withIncludeTasks(true).withOnlyFailed(false));
      case "pauseConnector" -> client.pauseConnector(name);
      case "resumeConnector" -> client.resumeConnector(name);
      case "deleteConnector" -> client.deleteConnector(name);
      case "getConnectorTasks" -> client.getConnectorTasks(name);
      case "getConnectorTaskStatus" -> client.getConnectorTaskStatus(name, Integer.parseInt(words[2]));
      case "restartConnectorTask" -> client.restartConnectorTask(name, Integer.parseInt(words[2]));
      case "getConnectorPlugins" -> client.getConnectorPlugins();
      case "validateConnectorPluginConfig" -> client.validateConnectorPluginConfig(
          new ConnectorPluginConfigDefinition(name, config(words[2])));
      default -> throw new IllegalArgumentException(words[0]);
    };
  }

  @SuppressWarnings("unchecked")
  private static Map<String, String> config(String json) throws Exception {
    return JSON.readValue(json, Map.class);
  }
}
