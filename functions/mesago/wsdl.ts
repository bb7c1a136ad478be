import {
  type ComplexType,
  escapeXml,
  type Field,
  SOAP_MESSAGES,
  SOAP_NAMESPACE,
  SOAP_OPERATIONS,
  type SoapOperation,
  type Type,
} from "./soap.ts";

/** The WSDL 1.1 of the service at a URL: SOAP 1.1 over HTTP, document/literal wrapped. */
export function wsdl(location: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions name="MesagoSms" targetNamespace="${SOAP_NAMESPACE}"
    xmlns:tns="${SOAP_NAMESPACE}"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
    xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <wsdl:types>
    <xs:schema targetNamespace="${SOAP_NAMESPACE}" elementFormDefault="qualified">${schema()}
    </xs:schema>
  </wsdl:types>${each(messages)}
  <wsdl:portType name="MesagoSmsPortType">${each(portTypeOperation)}
  </wsdl:portType>
  <wsdl:binding name="MesagoSmsBinding" type="tns:MesagoSmsPortType">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>${each(bindingOperation)}
  </wsdl:binding>
  <wsdl:service name="MesagoSms">
    <wsdl:documentation>Sends SMS. Every request needs HTTP Basic authentication.</wsdl:documentation>
    <wsdl:port name="MesagoSmsPort" binding="tns:MesagoSmsBinding">
      <soap:address location="${escapeXml(location)}"/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
`;
}

const each = (write: (operation: SoapOperation) => string) => SOAP_OPERATIONS.map(write).join("");

const messages = (operation: SoapOperation) => `
  <wsdl:message name="${operation}Input">
    <wsdl:part name="parameters" element="tns:${operation}"/>
  </wsdl:message>
  <wsdl:message name="${operation}Output">
    <wsdl:part name="parameters" element="tns:${operation}Response"/>
  </wsdl:message>`;

const portTypeOperation = (operation: SoapOperation) => `
    <wsdl:operation name="${operation}">
      <wsdl:input message="tns:${operation}Input"/>
      <wsdl:output message="tns:${operation}Output"/>
    </wsdl:operation>`;

const bindingOperation = (operation: SoapOperation) => `
    <wsdl:operation name="${operation}">
      <soap:operation soapAction="${SOAP_NAMESPACE}:${operation}"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input>
      <wsdl:output><soap:body use="literal"/></wsdl:output>
    </wsdl:operation>`;

function schema(): string {
  const elements = SOAP_OPERATIONS.map((operation) => {
    const { request, response } = SOAP_MESSAGES[operation];
    return `
      <xs:element name="${operation}" type="tns:${request.name}"/>
      <xs:element name="${operation}Response" type="tns:${response.name}"/>`;
  });
  const types = SOAP_OPERATIONS.flatMap((operation) => {
    const { request, response } = SOAP_MESSAGES[operation];
    return [request, response].flatMap(namedTypes);
  });
  return [...elements, ...[...new Set(types)].map(definition)].join("");
}

type NamedType = Exclude<Type, string>;

/** A type and those of its fields, as far as they are ours. */
function namedTypes(type: Type): NamedType[] {
  if (typeof type === "string") return [];
  return [
    type,
    ...("fields" in type ? type.fields.flatMap((field) => namedTypes(field.type)) : []),
  ];
}

function definition(type: NamedType): string {
  if ("fields" in type) return complexType(type);
  const values = type.values.map(
    (value) => `
          <xs:enumeration value="${value}"/>`,
  );
  return `
      <xs:simpleType name="${type.name}">
        <xs:restriction base="xs:string">${values.join("")}
        </xs:restriction>
      </xs:simpleType>`;
}

const complexType = ({ name, fields }: ComplexType) => `
      <xs:complexType name="${name}">
        <xs:sequence>${fields.map(element).join("")}
        </xs:sequence>
      </xs:complexType>`;

function element({ name, type, optional, repeats }: Field): string {
  const typeName = typeof type === "string" ? `xs:${type}` : `tns:${type.name}`;
  const occurs = `${optional ? ' minOccurs="0"' : ""}${repeats ? ' maxOccurs="unbounded"' : ""}`;
  return `
          <xs:element name="${name}" type="${typeName}"${occurs}/>`;
}
