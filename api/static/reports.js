// The desk of reports: each decision is one request; the row goes when the server has taken it.

const zh = document.documentElement.lang.startsWith('zh')
const told = document.getElementById('told')

function cookie(name) {
  const found = document.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`))
  return found ? found.slice(name.length + 1) : ''
}

async function decide(id, what, body) {
  const answer = await fetch(`/reports/${id}/${what}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': cookie('__Host-wangge-csrf') },
    body: JSON.stringify(body),
  })
  if (answer.ok) return answer.json()
  const problem = await answer.json()
  throw new Error(problem.message?.[zh ? 'zh' : 'en'] ?? problem.detail)
}

for (const form of document.querySelectorAll('form.decide')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const accepts = event.submitter?.name === 'accept'
    const reason = form.elements.namedItem('reason')
    if (!accepts && !reason.value) {
      reason.focus()
      told.textContent = zh ? '请先选择不受理的原因。' : 'First choose why it is turned down.'
      return
    }
    const buttons = [...form.querySelectorAll('button')]
    for (const button of buttons) button.disabled = true
    const id = form.dataset.report
    try {
      const category = form.elements.namedItem('category').value
      const done = accepts ? await decide(id, 'accept', { category }) : await decide(id, 'reject', { reason: reason.value })
      const row = form.closest('tr')
      const next = row.nextElementSibling ?? row.previousElementSibling
      const rows = row.parentElement
      row.remove()
      if (!rows.rows.length) {
        const cell = rows.insertRow().insertCell()
        cell.colSpan = 6
        cell.textContent = rows.dataset.none
      }
      told.textContent = accepts
        ? zh ? `上报 ${id} 已受理，登记为事件 ${done.incident_id}。` : `Report ${id} is taken up as incident ${done.incident_id}.`
        : zh ? `上报 ${id} 不予受理。` : `Report ${id} is turned down.`
      next?.querySelector('button')?.focus()
    } catch (error) {
      told.textContent = error.message
      for (const button of buttons) button.disabled = false
    }
  })
}
